import sharp from 'sharp';
import { type BinaryMask, resizeImage, resizeMask, type Size } from '../../processing/index.js';
import type { Rgb } from '../gallery/canvas.js';
import { fitInto } from '../gallery/canvas.js';
import type { Example } from '../gallery/examples.js';
import { escapeHtml } from './html.js';

const BOX: Size = { width: 320, height: 320 };
const TRUTH: Rgb = [86, 180, 233];
const PREDICTED: Rgb = [230, 159, 0];

/** A card of the gallery: the image alone, with the true outline, with the predicted one. The image is embedded once. */
export async function galleryCard({ sample, truth, predicted, dsc, iou, missed, prompt, rows }: Example): Promise<string> {
  const size = fitInto(sample.image, BOX);
  const { data } = resizeImage(sample.image, size);
  const image = await sharp(data, { raw: { ...size, channels: 3 } })
    .webp({ quality: 82 })
    .toBuffer();
  const [real, found] = await Promise.all([layer(truth, size, TRUTH), layer(predicted, size, PREDICTED)]);
  const percent = (fraction: number) => (100 * fraction).toFixed(1);
  const ratio = `${size.width} / ${size.height}`;
  const pane = (name: string, mask?: string) =>
    `<div class="pane" role="img" aria-label="${escapeHtml(`${sample.id}: ${name}`)}" style="aspect-ratio:${ratio}">${mask === undefined ? '' : `<img alt="" src="${mask}">`}<span>${name}</span></div>`;
  const targets = rows.length > 1 ? `; ${rows.map(({ target, dsc: own }) => `${target} ${percent(own)}`).join(', ')}` : '';
  return `<article class="card" data-dsc="${percent(dsc)}" data-dataset="${escapeHtml(sample.dataset)}" data-missed="${missed}" data-text="${escapeHtml(`${sample.id} ${sample.group ?? ''} ${prompt}`.toLowerCase())}">
<div class="panes" style="--image:url(data:image/webp;base64,${image.toString('base64')})">${pane('image')}${pane('truth', real)}${pane('prediction', found)}</div>
<p><b>DSC ${percent(dsc)}</b> IoU ${percent(iou)}${missed ? ' <b class="missed">missed</b>' : ''} <span>${escapeHtml(sample.dataset)} / ${escapeHtml(sample.id)}</span><br><small>${escapeHtml(prompt + targets)}</small></p></article>`;
}

/** A mask as a transparent picture: its outline, and a tint within. */
async function layer(mask: BinaryMask, size: Size, [r, g, b]: Rgb): Promise<string> {
  const fitted = resizeMask(mask, size);
  const { width, height } = size;
  const inside = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && fitted.data[y * width + x] === 1;
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!inside(x, y)) continue;
      const edge = !inside(x - 2, y) || !inside(x + 2, y) || !inside(x, y - 2) || !inside(x, y + 2);
      data.set([r, g, b, edge ? 255 : 70], (y * width + x) * 4);
    }
  }
  const png = await sharp(data, { raw: { width, height, channels: 4 } })
    .png({ palette: true, colours: 4 })
    .toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}
