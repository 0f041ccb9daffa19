import sharp, { type Sharp } from 'sharp';
import { drawOverlay, type RasterImage } from '../../../imaging/index.js';
import { isOwn } from '../own-file.js';
import type { AuditSplit, ImageLocation } from '../types.js';

/** Longest side of an image on the page, in pixels. */
const SIDE = 320;

/** Maximum number of objects drawn on one image: more would be indistinguishable, and each costs a pass over the image. */
const DRAWN = 100;

/** Samples shown per split. */
const SAMPLES = 4;

/** An image embedded in the page, so that nothing is fetched. */
export interface PageImage {
  readonly source: string;
  readonly width: number;
  readonly height: number;
}

/** Indices spread evenly over a split, each from the middle of its interval: first images are seldom typical. */
export function sampleIndices(size: number): number[] {
  const count = Math.min(SAMPLES, size);
  return Array.from({ length: count }, (_, k) => Math.floor(((k + 0.5) * size) / count));
}

/** A sample with its objects drawn on it; undefined if it cannot be loaded. */
export async function sampleImage(split: AuditSplit, index: number): Promise<PageImage | undefined> {
  const { data } = split;
  try {
    if (!(await isShown(split, index))) return undefined;
    const { image, objects } = await data.load(index);
    const overlay = await drawOverlay(image, objects.slice(0, DRAWN), data.phrases ?? []);
    return await embed(sharp(overlay));
  } catch {
    // Listed among the problems.
    return undefined;
  }
}

/** An image without overlay. */
export async function plainImage(splits: readonly AuditSplit[], place: ImageLocation): Promise<PageImage | undefined> {
  try {
    const split = splits.find(({ dataset, split: name }) => dataset === place.dataset && name === place.split);
    if (split === undefined || !(await isShown(split, place.index))) return undefined;
    const { width, height, data }: RasterImage = (await split.data.load(place.index)).image;
    return await embed(sharp(data, { raw: { width, height, channels: 3 } }));
  } catch {
    return undefined;
  }
}

/** Whether an image and its masks lie in their dataset; those outside are reported as warnings, not shown. */
async function isShown({ data, root }: AuditSplit, index: number): Promise<boolean> {
  if (root === undefined) return true;
  for (const file of data.source?.(index)?.files ?? []) if (!(await isOwn(file, root))) return false;
  return true;
}

async function embed(image: Sharp): Promise<PageImage> {
  const { data, info } = await image
    .resize({ width: SIDE, height: SIDE, fit: 'inside' })
    .jpeg({ quality: 80 })
    .toBuffer({ resolveWithObject: true });
  return { source: `data:image/jpeg;base64,${data.toString('base64')}`, width: info.width, height: info.height };
}
