import type { OpenedImage } from '../../serve/engine/jobs.js';
import { drawScene } from './draw.js';
import type { Layers } from './layers.js';

export type ExportKind = 'png' | 'json' | 'coco';

/** Small images are enlarged to this shorter side, so that lines and letters are thin in comparison. */
const MIN_SIDE = 768;

/** Exports the visible layers to a file and starts its download. */
export async function saveAs(
  kind: ExportKind,
  name: string,
  opened: OpenedImage,
  image: ImageBitmap,
  layers: Layers,
): Promise<void> {
  const stem = name.replace(/(\.nii)?\.[^.]*$/, '') || 'image';
  if (kind === 'png') return saveBlob(`${stem}-overlay.png`, await drawOverlay(image, layers, opened.spacing_mm));
  saveJson(`${stem}-${kind}.json`, kind === 'json' ? results(name, opened, layers) : coco(name, opened, layers));
}

/** The visible layers on the image, as a PNG. */
export function drawOverlay(image: ImageBitmap, layers: Layers, spacingMm: OpenedImage['spacing_mm']): Promise<Blob> {
  const scale = Math.max(1, Math.ceil(MIN_SIDE / Math.min(image.width, image.height)));
  const canvas = new OffscreenCanvas(image.width * scale, image.height * scale);
  const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
  const line = Math.max(2, Math.min(canvas.width, canvas.height) / 384);
  drawScene(context, image, layers, { scale, line, spacingMm, handles: false });
  return canvas.convertToBlob({ type: 'image/png' });
}

/** The visible layers, in the REST API's format. */
function results(name: string, { width, height, spacing_mm, frames }: OpenedImage, layers: Layers) {
  return {
    image: { file_name: name, frame: frames.address, width, height, spacing_mm },
    segments: layers.shown.map(({ phrase, score, bbox, byHand, points, area, maskScore, measured, rle }) => ({
      phrase,
      score,
      bbox,
      by_hand: byHand,
      points: points.map(({ at, inside }) => [...at, inside ? 1 : 0]),
      area,
      mask_score: maskScore,
      ...measured,
      mask: rle,
    })),
  };
}

/** The visible layers as a COCO dataset, readable by pycocotools and usable for training. */
function coco(name: string, { width, height }: OpenedImage, layers: Layers) {
  const phrases = [...new Set(layers.shown.map(({ phrase }) => phrase))];
  return {
    images: [{ id: 1, file_name: name, width, height }],
    categories: phrases.map((phrase, i) => ({ id: i + 1, name: phrase })),
    annotations: layers.shown.map(({ phrase, score, bbox, area, rle }, i) => ({
      id: i + 1,
      image_id: 1,
      category_id: phrases.indexOf(phrase) + 1,
      bbox,
      area,
      iscrowd: 0,
      ...(rle === null ? {} : { segmentation: rle }),
      ...(score === null ? {} : { score }),
    })),
  };
}

/** Starts the download of a record. */
export function saveJson(name: string, record: object): void {
  saveBlob(name, new Blob([`${JSON.stringify(record, null, 2)}\n`], { type: 'application/json' }));
}

/** Starts the download of a file. */
export function saveBlob(name: string, blob: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download starts after the click handler returns; the object URL is needed slightly longer.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
