import {
  type BinaryMask,
  decodeGreyMask,
  decodeImage,
  decodeRle,
  fitMask,
  type GreyMap,
  maskOfRuns,
  polygonsToMask,
  type RasterImage,
  resizeGreyMask,
  resizeMask,
  type Size,
} from '../../processing/index.js';
import { DataError } from '../../util/index.js';
import { drawnPolygon } from './drawn-polygon.js';
import type { MaskReading, MaskSource } from './types.js';
import { openVolume, transposed } from './volumes.js';

/** From this level on a grey mask is inside: half of the way to white, so that soft edges and the ringing of JPEG are not. */
const BRIGHT = 128;

/** Objects of one class, all in one mask on the image's grid. */
export interface ClassMask {
  readonly class: string;
  readonly mask: BinaryMask;
}

/** How masks are brought to their images. */
export interface MaskOptions {
  /** Masks of other proportions are stretched instead of refused. */
  readonly stretch: boolean;
  /** Everything that is not 0 counts, as in the published code; the mask keeps its own size. */
  readonly raw: boolean;
}

/**
 * Reads what one source says about an image.
 *
 * @throws DataError naming the file for what cannot be read, for values that mean nothing and for other proportions.
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

async function readFileMask(
  source: Extract<MaskSource, { kind: 'file' }>,
  image: Size,
  options: MaskOptions,
): Promise<ClassMask[]> {
  const picture = await pictureOf(source);
  const { file, read } = source;
  if (options.raw) return rawMasks(picture, read);
  switch (read.as) {
    case 'bright':
      return [{ class: read.class, mask: fitGrey(greyOf(picture), image, file, options) }];
    case 'side':
      return [{ class: '', mask: fitGrey(greyOf(picture), image, file, options) }];
    case 'values':
    case 'top-value': {
      const grey = greyOf(picture);
      const present = valuesOf(grey);
      const unknown = present.find((value) => read.classes[value] === undefined);
      if (unknown !== undefined) {
        const known = Object.keys(read.classes).join(', ');
        throw new DataError({ where: file, what: `the mask has the value ${unknown}; known here: ${known}` });
      }
      if (read.as === 'top-value') {
        const top = read.classes[Math.max(...present)];
        return top === undefined
          ? []
          : [
              {
                class: top,
                mask: fitBinary(
                  where(grey, (value) => value > 0),
                  image,
                  file,
                  options,
                ),
              },
            ];
      }
      return present.map((value) => ({
        class: read.classes[value] as string,
        mask: fitBinary(
          where(grey, (other) => other === value),
          image,
          file,
          options,
        ),
      }));
    }
    case 'colours':
      return Object.entries(read.classes).map(([colour, name]) => ({
        class: name as string,
        mask: fitBinary(colourMask(picture, colour as Colour), image, file, options),
      }));
  }
}

/** What the published code takes for an object: everything that is not 0; of colours, the first that there is. */
function rawMasks(picture: RasterImage, read: MaskReading): ClassMask[] {
  const grey = greyOf(picture);
  const some = where(grey, (value) => value > 0);
  switch (read.as) {
    case 'bright':
      return [{ class: read.class, mask: some }];
    case 'side':
      return [{ class: '', mask: some }];
    case 'values':
    case 'top-value': {
      const top = read.classes[valuesOf(grey).reduce((a, b) => Math.max(a, b), 0)];
      return top === undefined ? [] : [{ class: top, mask: some }];
    }
    case 'colours': {
      for (const [colour, name] of Object.entries(read.classes)) {
        const k = CHANNELS[colour as Colour];
        const mask = where(grey, (_value, i) => (picture.data[i * 3 + k] as number) > 0);
        if (mask.data.includes(1)) return [{ class: name as string, mask }];
      }
      return [];
    }
  }
}

async function pictureOf({ file, slice, page, frame, transpose }: Extract<MaskSource, { kind: 'file' }>): Promise<RasterImage> {
  if (slice === undefined) return decodeImage(page === undefined ? file : `${file}#${page}`);
  const volume = await openVolume(file);
  const { width, height, values } = volume.slice({ index: slice, ...(frame === undefined ? {} : { frame }) });
  const data = new Uint8Array(values.length * 3);
  for (let i = 0; i < values.length; i++) data.fill(Math.round(values[i] as number), i * 3, i * 3 + 3);
  const picture = { width, height, data };
  return transpose === true ? transposed(picture) : picture;
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

function greyOf({ width, height, data }: RasterImage): GreyMap {
  const out = new Uint8Array(width * height);
  for (let i = 0; i < out.length; i++) out[i] = data[i * 3] as number;
  return { width, height, data: out };
}

function valuesOf({ data }: GreyMap): number[] {
  const seen = new Uint8Array(256);
  for (const value of data) seen[value] = 1;
  return [...seen.keys()].filter((value) => value > 0 && seen[value] === 1);
}

function where({ width, height, data }: GreyMap, inside: (value: number, index: number) => boolean): BinaryMask {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = Number(inside(data[i] as number, i));
  return { width, height, data: out };
}

/** A mask of the image's own size needs no averaging. */
function fitGrey(grey: GreyMap, image: Size, file: string, { stretch }: MaskOptions): BinaryMask {
  const top = grey.data.reduce((a, b) => Math.max(a, b), 0);
  const threshold = top < 16 ? 1 : BRIGHT;
  if (grey.width === image.width && grey.height === image.height) return where(grey, (value) => value >= threshold);
  if (!stretch) return fitMask(grey, image, file);
  return resizeGreyMask(top < 16 ? { ...grey, data: grey.data.map((value) => (value > 0 ? 255 : 0)) } : grey, image);
}

function fitBinary(mask: BinaryMask, image: Size, file: string, options: MaskOptions): BinaryMask {
  return fitGrey({ ...mask, data: mask.data.map((value) => value * 255) }, image, file, options);
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

/** The pixels that a box touches. */
export function rectangle([x, y, w, h]: readonly [number, number, number, number], { width, height }: Size): BinaryMask {
  const data = new Uint8Array(width * height);
  const [x0, x1] = [Math.max(0, Math.floor(x)), Math.min(width, Math.ceil(x + w))];
  for (let row = Math.max(0, Math.floor(y)); row < Math.min(height, Math.ceil(y + h)); row++)
    if (x1 > x0) data.fill(1, row * width + x0, row * width + x1);
  return { width, height, data };
}

/** What is in two masks of one size. */
export function both(a: BinaryMask, b: BinaryMask): BinaryMask {
  return { ...a, data: a.data.map((value, i) => value & (b.data[i] as number)) };
}
