import {
  type BinaryMask,
  checkSegmentationSize,
  decodeGreyMask,
  decodeImage,
  decodeMaskLevels,
  decodeRle,
  fitMask,
  type GreyMap,
  greyOfMask,
  type LevelMap,
  maskOfRuns,
  notLost,
  polygonsToMask,
  type RasterImage,
  resizeGreyMask,
  resizeMask,
  type Size,
  volumeGreyMask,
  volumeLevels,
} from '../../../imaging/index.js';
import { DataError } from '../../../util/index.js';
import type { MaskReading, MaskSource } from '../types.js';
import { openVolume, transposedPlane } from '../volumes.js';
import { drawnPolygon } from './drawn-polygon.js';

/** Level from which a colour counts as drawn: halfway to white, to exclude soft edges and JPEG ringing. */
const BRIGHT = 128;

/** Objects of one class, in one mask on the image's grid. */
export interface ClassMask {
  readonly class: string;
  readonly mask: BinaryMask;
}

/** How masks are fitted to their images. */
export interface MaskOptions {
  /** Stretches masks of other aspect ratios instead of refusing them; never DICOM segmentations, which are of their image's size. */
  readonly stretch: boolean;
  /** Every non-zero value counts, as in the published code; the mask keeps its own size. */
  readonly raw: boolean;
  /** The image, with which DICOM segmentations are compared. */
  readonly over?: string | undefined;
}

/**
 * Reads the masks of one source.
 *
 * @throws DataError naming the file for unreadable files, undefined values and other aspect ratios.
 */
export async function readMask(source: MaskSource, image: Size, options: MaskOptions): Promise<ClassMask[]> {
  switch (source.kind) {
    case 'polygons':
      return [
        {
          class: source.class,
          mask: source.drawn === true ? drawnTogether(source.polygons, image) : polygonsToMask(source.polygons, image),
        },
      ];
    case 'rle': {
      const [height, width] = source.size;
      const mask =
        typeof source.counts === 'string' ? decodeRle(source.counts, width, height) : maskOfRuns(source.counts, width, height);
      return [{ class: source.class, mask: resizeMask(mask, image) }];
    }
    case 'box': {
      const mask = rectangle(scaled(source.bbox, source.size, image), image);
      if (source.within === undefined) return [{ class: source.class, mask }];
      const whole = fitGrey(await decodeGreyMask(source.within), image, source.within, options);
      return [{ class: source.class, mask: both(mask, whole) }];
    }
    case 'file':
      return readFileMask(source, image, options);
  }
}

type FileSource = Extract<MaskSource, { kind: 'file' }>;

async function readFileMask(source: FileSource, image: Size, options: MaskOptions): Promise<ClassMask[]> {
  const { file, read } = source;
  await checkSegmentationSize(file, image);
  if (options.raw) return rawMasks(source, read, options);
  switch (read.as) {
    case 'bright':
      return [{ class: read.class, mask: fitGrey(await greyMaskOf(source, options), image, file, options) }];
    case 'side':
      return [{ class: '', mask: fitGrey(await greyMaskOf(source, options), image, file, options) }];
    case 'values':
    case 'top-value': {
      const classes = classNumbers(await levelsOf(source, options));
      const present = valuesOf(classes);
      const unknown = present.find((value) => read.classes[value] === undefined);
      if (unknown !== undefined) {
        const known = Object.keys(read.classes).join(', ');
        throw new DataError({
          code: 'E_MASK_VALUE',
          where: file,
          what: `the mask has the value ${unknown}; known here: ${known}`,
        });
      }
      const fit = (inside: (value: number) => boolean) => fitBinary(where(classes, inside), image, file, options);
      if (read.as === 'top-value') {
        const top = read.classes[Math.max(...present)];
        return top === undefined ? [] : [{ class: top, mask: fit((value) => value > 0) }];
      }
      return present.map((value) => ({ class: read.classes[value] as string, mask: fit((other) => other === value) }));
    }
    case 'colours': {
      const picture = await decodeImage(addressOf(source));
      const masks = Object.entries(read.classes).map(([colour, name]) => ({
        class: name as string,
        mask: fitBinary(colourMask(picture, colour as Colour), image, file, options),
      }));
      if (masks.some(({ mask }) => mask.data.includes(1)) || !picture.data.some((value) => value > 0)) return masks;
      const known = Object.keys(read.classes).join(', ');
      throw new DataError({
        code: 'E_MASK_VALUE',
        where: file,
        what: `the mask is drawn in none of the colours that are known here: ${known}`,
      });
    }
  }
}

/** The published code's objects: everything non-zero; of several colours, the first one present. */
async function rawMasks(source: FileSource, read: MaskReading, options: MaskOptions): Promise<ClassMask[]> {
  if (read.as === 'colours') {
    const picture = await decodeImage(addressOf(source));
    for (const [colour, name] of Object.entries(read.classes)) {
      const k = CHANNELS[colour as Colour];
      const { width, height, data } = picture;
      const mask = where({ width, height, levels: data.filter((_value, i) => i % 3 === k) }, (value) => value > 0);
      if (mask.data.includes(1)) return [{ class: name as string, mask }];
    }
    return [];
  }
  const plane = await levelsOf(source, options);
  const some = where(plane, (value) => value > 0);
  switch (read.as) {
    case 'bright':
      return [{ class: read.class, mask: some }];
    case 'side':
      return [{ class: '', mask: some }];
    case 'values':
    case 'top-value': {
      const top = read.classes[valuesOf(plane).reduce((a, b) => Math.max(a, b), 0)];
      return top === undefined ? [] : [{ class: top, mask: some }];
    }
  }
}

function addressOf({ file, page }: FileSource): string {
  return page === undefined ? file : `${file}#${page}`;
}

/** The mask read by the common rule for all masks. */
async function greyMaskOf(source: FileSource, { over }: MaskOptions): Promise<GreyMap> {
  const { file, slice, transpose } = source;
  if (slice === undefined) return decodeGreyMask(addressOf(source), over === undefined ? {} : { over });
  const { width, height, data } = await volumeGreyMask(await openVolume(file), planeOf(source, slice));
  return transpose === true
    ? { width: height, height: width, data: transposedPlane(data, width, height) }
    : { width, height, data };
}

/** The stored values of the mask. */
async function levelsOf(source: FileSource, { over }: MaskOptions): Promise<Levels> {
  const { file, slice, transpose } = source;
  if (slice === undefined) return decodeMaskLevels(addressOf(source), over === undefined ? {} : { over });
  const plane = volumeLevels(await openVolume(file), planeOf(source, slice));
  const { width, height, levels } = plane;
  return transpose === true ? { width: height, height: width, levels: transposedPlane(levels, width, height) } : plane;
}

function planeOf({ frame, turn }: FileSource, index: number) {
  return { index, turn, ...(frame === undefined ? {} : { frame }) };
}

/** The levels of a mask without further metadata. */
type Levels = Pick<LevelMap, 'width' | 'height' | 'levels'>;

/** Tolerance for class numbers stored as floats or scaled by a slope. */
const ROUNDING = 1e-3;

/** Levels as class numbers: rounds those that are integers within the tolerance; NaN becomes 0. */
function classNumbers({ width, height, levels }: Levels): Levels {
  if (!(levels instanceof Float32Array || levels instanceof Float64Array)) return { width, height, levels };
  const whole = (value: number) => (Math.abs(value - Math.round(value)) < ROUNDING ? Math.round(value) : value);
  return { width, height, levels: levels.map((value: number) => (Number.isNaN(value) ? 0 : whole(value))) };
}

type Colour = 'red' | 'green' | 'blue';

const CHANNELS = { red: 0, green: 1, blue: 2 } as const;

/** Where one colour is bright and brighter than the other two. */
function colourMask({ width, height, data }: RasterImage, colour: Colour): BinaryMask {
  const own = CHANNELS[colour];
  const [a, b] = [0, 1, 2].filter((k) => k !== own) as [number, number];
  const out = new Uint8Array(width * height);
  for (let i = 0; i < out.length; i++) {
    const value = data[i * 3 + own] as number;
    if (value >= BRIGHT && value > (data[i * 3 + a] as number) && value > (data[i * 3 + b] as number)) out[i] = 1;
  }
  return { width, height, data: out };
}

/** The distinct non-zero levels, in ascending order. */
function valuesOf({ levels }: Levels): number[] {
  const seen = new Set<number>();
  let before = 0;
  for (const value of levels) {
    if (value === before) continue;
    before = value;
    if (value !== 0 && !Number.isNaN(value)) seen.add(value);
  }
  return [...seen].sort((a, b) => a - b);
}

function where({ width, height, levels }: Levels, inside: (value: number) => boolean): BinaryMask {
  const out = new Uint8Array(levels.length);
  for (let i = 0; i < out.length; i++) out[i] = Number(inside(levels[i] as number));
  return { width, height, data: out };
}

/** A mask of the image's own size is not stretched, so it cannot lose anything. */
function fitGrey(grey: GreyMap, image: Size, file: string, { stretch }: MaskOptions): BinaryMask {
  if (grey.width === image.width && grey.height === image.height) return resizeGreyMask(grey, image);
  return stretch ? notLost(resizeGreyMask(grey, image), grey, file) : fitMask(grey, image, file);
}

function fitBinary(mask: BinaryMask, image: Size, file: string, options: MaskOptions): BinaryMask {
  return fitGrey(greyOfMask(mask), image, file, options);
}

function drawnTogether(polygons: readonly (readonly number[])[], { width, height }: Size): BinaryMask {
  const data = new Uint8Array(width * height);
  for (const polygon of polygons) {
    const drawn = drawnPolygon(polygon, { width, height });
    for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) | (drawn.data[i] as number);
  }
  return { width, height, data };
}

function scaled(
  [x, y, w, h]: readonly [number, number, number, number],
  size: readonly [number, number] | undefined,
  image: Size,
): readonly [number, number, number, number] {
  if (size === undefined || !(size[0] > 0) || !(size[1] > 0)) return [x, y, w, h];
  const [sx, sy] = [image.width / size[0], image.height / size[1]];
  return [x * sx, y * sy, w * sx, h * sy];
}

/** The pixels touched by a box. */
function rectangle([x, y, w, h]: readonly [number, number, number, number], { width, height }: Size): BinaryMask {
  const data = new Uint8Array(width * height);
  const [x0, x1] = [Math.max(0, Math.floor(x)), Math.min(width, Math.ceil(x + w))];
  for (let row = Math.max(0, Math.floor(y)); row < Math.min(height, Math.ceil(y + h)); row++)
    if (x1 > x0) data.fill(1, row * width + x0, row * width + x1);
  return { width, height, data };
}

/** Intersection of two masks of equal size. */
export function both(a: BinaryMask, b: BinaryMask): BinaryMask {
  return { ...a, data: a.data.map((value, i) => value & (b.data[i] as number)) };
}
