import { type BinaryMask, type BoxXyxy, maskArea, resizeMask, type Size } from '../../../imaging/index.js';
import { DataError } from '../../../util/index.js';
import { boxMisfit, polygonsMisfit, rleMisfit } from '../../annotation-misfit.js';
import { checkCount } from '../../coco-object.js';
import type { DrawnSource, MaskSource, PaperRows, SourceRecord } from '../types.js';
import { contourArea } from './contour-area.js';
import { drawnPolygon } from './drawn-polygon.js';
import { maskOfRegion, outerRegions, type Region, regionsOf } from './outer-contours.js';
import { readDrawn } from './read-drawn.js';
import { both, type ClassMask, readMask } from './read-mask.js';

/** Fraction of the image and number of pixels below which a component is a speck; the largest component needs only the latter. */
const SPECK = { share: 1e-4, pixels: 4 };

/** One object of an image. */
export interface Instance {
  readonly class: string;
  /** On the image's grid. */
  readonly mask: BinaryMask;
  readonly boxXyxyPx: BoxXyxy;
  readonly area: number;
}

/**
 * Finds the objects of an image: each connected component of each class, or what the dataset defines as one object.
 *
 * @throws DataError naming a source that is not blank but contains no object: the image is not a negative.
 */
export async function strictInstances(
  { masks, image: { file } }: SourceRecord,
  image: Size,
  { stretch }: { readonly stretch: boolean },
): Promise<Instance[]> {
  const found: Instance[] = [];
  checkCount(masks.length, image, file);
  for (const source of masks) {
    if (source.kind === 'painted' || source.kind === 'outline') {
      found.push(...(await drawnInstances(source, image)));
      continue;
    }
    checkPlaced(source, image, file);
    const before = found.length;
    const named = await readMask(source, image, { stretch, raw: false, over: file }).catch((cause: unknown) => {
      if (!(cause instanceof RangeError)) throw cause;
      throw unplaced(source, 'E_ANNOTATIONS_INVALID', `its RLE cannot be decoded: ${cause.message}`, file, cause);
    });
    for (const mask of named) for (const instance of divide(mask, source, image)) found.push(instance);
    const pixels = named.reduce((sum, { mask }) => sum + maskArea(mask), 0);
    // Masks may be blank; an outline or an entry of an annotation file may not.
    if (found.length === before && (pixels > 0 || source.kind !== 'file' || source.by !== undefined))
      throw noObject(source, image, file, pixels);
    // An outline whose class is not in the drawn mask counts by itself.
    for (const { class: name, polygon } of outlinesOf(source))
      if (!named.some((mask) => mask.class === name)) found.push(...whole(name, drawnPolygon(polygon, image)));
  }
  return found;
}

/** Objects drawn into an image of their own, which must contain at least one. */
async function drawnInstances(source: DrawnSource, image: Size): Promise<Instance[]> {
  const masks = await readDrawn(source, image);
  const found = masks.flatMap(({ class: name, mask }) =>
    source.kind === 'outline'
      ? whole(name, mask)
      : withoutSpecks(regionsOf(mask), image).map((region) => instanceOf(name, region, mask)),
  );
  if (found.length > 0 || masks.every(({ mask }) => maskArea(mask) === 0)) return found;
  throw new DataError({
    code: 'E_MASK_EMPTY',
    where: source.file,
    what: 'it shows no object, only specks',
    fix: 'Redraw it, or leave it out',
  });
}

/** Checks that annotations lie within their image: an object outside it would leave a negative. */
function checkPlaced(source: MaskSource, image: Size, file: string): void {
  const misfit =
    source.kind === 'polygons'
      ? polygonsMisfit(source.polygons, image)
      : source.kind === 'rle'
        ? rleMisfit(source.size, image)
        : source.kind === 'box' && source.size === undefined
          ? boxMisfit(source.bbox, image)
          : undefined;
  if (misfit !== undefined)
    throw unplaced(source, source.kind === 'rle' ? 'E_ANNOTATIONS_SIZE' : 'E_ANNOTATIONS_INVALID', misfit, file);
}

function noObject(source: MaskSource, { width, height }: Size, file: string, pixels: number): DataError {
  const subject = source.kind === 'file' ? 'the mask' : 'it';
  const what =
    pixels === 0
      ? `${subject} covers no pixel of its ${width}x${height} image`
      : `${subject} shows no object: ${pixels} pixels in pieces of less than ${SPECK.pixels}`;
  return unplaced(source, 'E_MASK_EMPTY', what, source.kind === 'file' ? source.file : file);
}

function unplaced({ by }: MaskSource, code: DataError['code'], what: string, file: string, cause?: unknown): DataError {
  return by === undefined
    ? new DataError({ code, where: file, what, fix: 'Redraw it, or leave it out', cause })
    : new DataError({ code, where: by.file, what: `${by.name}: ${what}; ${by.image} is left out`, cause });
}

function outlinesOf(source: MaskSource): NonNullable<Extract<MaskSource, { kind: 'file' }>['instances']> {
  return source.kind === 'file' ? (source.instances ?? []) : [];
}

function divide(named: ClassMask, source: MaskSource, image: Size): Instance[] {
  const { class: name, mask } = named;
  // A box or an encoded mask is one object by itself.
  if (source.kind === 'box' || source.kind === 'rle' || source.kind === 'polygons' || source.whole === true)
    return whole(name, mask);
  const outlines = outlinesOf(source).filter((instance) => instance.class === name);
  if (outlines.length === 1) return whole(name, mask);
  if (outlines.length > 1) return outlines.flatMap(({ polygon }) => whole(name, both(mask, grown(drawnPolygon(polygon, image)))));
  const regions = withoutSpecks(regionsOf(mask), image);
  return regions.map((region) => instanceOf(sideOr(name, source, region, image), region, mask));
}

/** The whole mask as one object; empty if the mask is. */
function whole(name: string, mask: BinaryMask): Instance[] {
  const regions = regionsOf(mask);
  if (regions.length === 0) return [];
  // A noisy mask has more components than the argument limit.
  const edge = (k: 0 | 1 | 2 | 3) =>
    regions.map(({ boxXyxyPx }) => boxXyxyPx[k]).reduce((a, b) => (k < 2 ? Math.min(a, b) : Math.max(a, b)));
  const area = regions.reduce((sum, { pixels }) => sum + pixels.length, 0);
  return [{ class: name, mask, boxXyxyPx: [edge(0), edge(1), edge(2), edge(3)], area }];
}

function instanceOf(name: string, region: Region, mask: BinaryMask): Instance {
  return { class: name, mask: maskOfRegion(region, mask), boxXyxyPx: region.boxXyxyPx, area: region.pixels.length };
}

function sideOr(name: string, source: MaskSource, { boxXyxyPx: [x0, , x1] }: Region, { width }: Size): string {
  if (source.kind !== 'file' || source.read.as !== 'side') return name;
  return (x0 + x1) / 2 < width / 2 ? source.read.left : source.read.right;
}

function withoutSpecks(regions: readonly Region[], { width, height }: Size): Region[] {
  const largest = regions.reduce((most, { pixels }) => Math.max(most, pixels.length), 0);
  const least = Math.max(SPECK.pixels, SPECK.share * width * height);
  return regions.filter(({ pixels: { length } }) => length >= least || (length === largest && length >= SPECK.pixels));
}

/** Dilates by one pixel: another program may rasterise lines a pixel apart from ours. */
function grown({ width, height, data }: BinaryMask): BinaryMask {
  const out = Uint8Array.from(data);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[y * width + x] === 0) continue;
      for (let py = Math.max(0, y - 1); py <= Math.min(height - 1, y + 1); py++)
        out.fill(1, py * width + Math.max(0, x - 1), py * width + Math.min(width, x + 2));
    }
  }
  return { width, height, data: out };
}

/**
 * Finds the rows of the published code: outer contours of everything non-zero, in mask pixels, then resampled to the image's
 * grid.
 */
export async function paperInstances({ masks }: SourceRecord, image: Size, rows: PaperRows): Promise<Instance[]> {
  const found: Instance[] = [];
  for (const source of masks) {
    // None of the paper's datasets has them.
    if (source.kind === 'painted' || source.kind === 'outline') continue;
    for (const { class: name, mask } of await readMask(source, image, { stretch: true, raw: true })) {
      for (const region of kept(outerRegions(mask), rows, mask)) {
        const fitted = resizeMask(maskOfRegion(region, mask), image);
        found.push(...whole(sideOr(name, source, region, mask), fitted));
      }
    }
  }
  return found;
}

function kept(regions: readonly Region[], { contours }: PaperRows, mask: BinaryMask): readonly Region[] {
  switch (contours?.keep) {
    case 'last':
      return regions.slice(-1);
    case 'first':
      return regions.slice(0, contours.count);
    case 'largest': {
      const sized = regions.map((region) => ({ region, area: contourArea(region, mask) }));
      const large = sized.filter(({ area }) => area >= contours.minArea).sort((a, b) => b.area - a.area);
      return large.slice(0, contours.count).map(({ region }) => region);
    }
    default:
      return regions;
  }
}
