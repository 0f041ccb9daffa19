import {
  type BinaryMask,
  type BoxXyxy,
  boxOfMask,
  decodeGreyMask,
  decodeRle,
  fitMask,
  maskOfRuns,
  polygonsToMask,
  type RasterImage,
  type Size,
} from '../imaging/index.js';
import { DataError } from '../util/index.js';
import { boxMisfit, polygonsMisfit, rleMisfit } from './annotation-misfit.js';
import type { CocoAnnotation } from './coco-schema.js';
import type { SampleObject } from './types.js';

/** Context of an annotation: everything besides the annotation that defines its object. */
export interface ObjectContext {
  readonly image: RasterImage;
  /** The object's phrase; undefined if the annotation does not define one. */
  readonly phrase: string | undefined;
  /** Path of its mask file, if any. */
  readonly maskPath: string | undefined;
  /** The annotation file, for messages. */
  readonly file: string;
}

/**
 * Builds the object of an annotation.
 *
 * @throws DataError naming the annotation if it is unusable: dropping the object could turn its image into a negative.
 */
export async function objectOf(annotation: CocoAnnotation, context: ObjectContext): Promise<SampleObject> {
  const { image, phrase } = context;
  // The message repeats the id, as some lists show only images and problems.
  const refusal: Refusal = (what, fix, cause, code = 'E_ANNOTATIONS_INVALID') =>
    new DataError({ code, where: context.file, what: `annotation ${annotation.id}: ${what}`, fix, cause });
  if (phrase === undefined) throw refusal('it has neither a known category nor a caption', 'Add its category to categories');
  const boxProblem = annotation.bbox && boxMisfit(annotation.bbox, image);
  if (boxProblem !== undefined) throw refusal(boxProblem, 'bbox is left, top, width, height in pixels');
  const box = annotation.bbox && clipped(annotation.bbox, image);
  const mask = await maskOf(annotation, context, refusal);
  if (mask === undefined) {
    if (box === undefined) throw refusal('it has no bbox, no segmentation and no mask_file', 'Give it one of them');
    return { phrase, boxXyxyPx: box, mask: rectangle(box, image) };
  }
  const tight = boxOfMask(mask);
  if (tight === undefined)
    throw refusal(`${maskName(annotation)} is empty`, 'Draw it, or take the annotation out', undefined, 'E_MASK_EMPTY');
  return { phrase, boxXyxyPx: tight, mask };
}

/** Creates an error that names the annotation. */
type Refusal = (what: string, fix: string, cause?: unknown, code?: DataError['code']) => DataError;

async function maskOf(
  annotation: CocoAnnotation,
  { image, maskPath }: ObjectContext,
  refusal: Refusal,
): Promise<BinaryMask | undefined> {
  const { segmentation } = annotation;
  const { width, height } = image;
  if (maskPath !== undefined) {
    try {
      return fitMask(await decodeGreyMask(maskPath), image, maskPath);
    } catch (cause) {
      if (!(cause instanceof DataError)) throw cause;
      throw refusal(`${maskName(annotation)}: ${cause.what}`, cause.fix ?? 'Make the mask again', cause, cause.code);
    }
  }
  // Box-only annotation tools write an empty list.
  if (segmentation === undefined || (Array.isArray(segmentation) && segmentation.length === 0)) return undefined;
  if (Array.isArray(segmentation)) {
    const misfit = polygonsMisfit(segmentation, image);
    if (misfit !== undefined) throw refusal(misfit, 'Polygons are lists of x, y in pixels of this image');
    return polygonsToMask(segmentation, image);
  }
  const misfit = rleMisfit(segmentation.size, image);
  if (misfit !== undefined) throw refusal(misfit, 'Write the annotations for these images', undefined, 'E_ANNOTATIONS_SIZE');
  const { counts } = segmentation;
  try {
    return typeof counts === 'string' ? decodeRle(counts, width, height) : maskOfRuns(counts, width, height);
  } catch (cause) {
    throw refusal(`its RLE cannot be decoded: ${(cause as Error).message}`, 'Write the annotation again', cause);
  }
}

function maskName({ mask_file }: CocoAnnotation): string {
  return mask_file === undefined ? 'its mask' : `its mask masks/${mask_file}`;
}

function clipped([x, y, w, h]: readonly [number, number, number, number], { width, height }: RasterImage): BoxXyxy {
  return [Math.max(0, x), Math.max(0, y), Math.min(width, x + w), Math.min(height, y + h)];
}

function rectangle([x0, y0, x1, y1]: BoxXyxy, { width, height }: RasterImage): BinaryMask {
  const data = new Uint8Array(width * height);
  for (let y = Math.floor(y0); y < Math.ceil(y1); y++) data.fill(1, y * width + Math.floor(x0), y * width + Math.ceil(x1));
  return { width, height, data };
}

/** Maximum size of one image's masks in bytes, one byte per pixel. */
const MOST_MASKS = 2 ** 32;

/**
 * Refuses an image whose masks would exhaust memory.
 *
 * @throws DataError naming the image.
 */
export function checkCount(objects: number, { width, height }: Size, file: string): void {
  if (objects * width * height <= MOST_MASKS) return;
  throw new DataError({
    code: 'E_IMAGE_TOO_LARGE',
    where: file,
    what: `it has ${objects} annotations, whose masks of ${width}x${height} would take ${Math.round((objects * width * height) / 2 ** 30)} GiB`,
    fix: 'Take annotations out, or divide the image',
  });
}
