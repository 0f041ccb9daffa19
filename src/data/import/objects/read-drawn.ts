import { type BinaryMask, decodeImage, fitMask, greyOfMask, type RasterImage, type Size } from '../../../imaging/index.js';
import { DataError } from '../../../util/index.js';
import type { DrawnSource } from '../types.js';
import type { ClassMask } from './read-mask.js';

/** Maximum distance from a class's colour, summed over red, green and blue: JPEG shifts colours. */
const TOLERANCE = 24;

/** Fraction of pixels that may match no class's colour: JPEG ringing along edges. */
const STRAY = 0.02;

/** Level from which a pixel of an outline counts as drawn. */
const DRAWN = 128;

/** Minimum fraction of the image that an object must enclose beyond its outline. */
const HOLLOW = 0.001;

/**
 * Reads the objects drawn into an image, on the image's grid.
 *
 * @throws DataError naming the file for colours of no class, an outline that is not closed, or a different aspect ratio.
 */
export async function readDrawn(source: DrawnSource, image: Size): Promise<ClassMask[]> {
  const picture = await decodeImage(source.file);
  if (source.kind === 'outline') {
    const mask = fitted(filledOutline(picture, source.file), image, source.file);
    return [{ class: source.class, mask }];
  }
  return paintedMasks(picture, source).map((own) => ({ ...own, mask: fitted(own.mask, image, source.file) }));
}

function fitted(mask: BinaryMask, image: Size, file: string): BinaryMask {
  if (mask.width === image.width && mask.height === image.height) return mask;
  return fitMask(greyOfMask(mask), image, file);
}

function paintedMasks(picture: RasterImage, { classes, file }: Extract<DrawnSource, { kind: 'painted' }>): ClassMask[] {
  const numbers = numbersOf(picture, classes.length);
  const colours = [[0, 0, 0] as const, ...classes.map(({ colour }) => colour)];
  const { width, height, data } = picture;
  const nearest = new Uint8Array(width * height);
  const strays = new Map<string, number>();
  for (let i = 0; i < nearest.length; i++) {
    if (numbers !== undefined) {
      nearest[i] = numbers[i] as number;
      continue;
    }
    const [r, g, b] = [data[3 * i] as number, data[3 * i + 1] as number, data[3 * i + 2] as number];
    let best = Number.POSITIVE_INFINITY;
    for (const [k, own] of colours.entries()) {
      const distance = Math.hypot(r - own[0], g - own[1], b - own[2]);
      if (distance >= best) continue;
      best = distance;
      nearest[i] = k;
    }
    if (best > TOLERANCE) {
      const name = `(${r}, ${g}, ${b})`;
      strays.set(name, (strays.get(name) ?? 0) + 1);
      nearest[i] = 0;
    }
  }
  const stray = [...strays.values()].reduce((a, b) => a + b, 0);
  const drawn = nearest.some((value) => value > 0);
  if (stray > STRAY * nearest.length || (stray > 0 && !drawn)) {
    const [[name]] = [...strays].sort((a, b) => b[1] - a[1]) as [[string, number]];
    const known = classes.map(({ class: own, colour }) => `${own} (${colour.join(', ')})`).join(', ');
    throw new DataError({
      code: 'E_MASK_VALUE',
      where: file,
      what: `the mask has the colour ${name}, which is no class's; known are ${known}`,
    });
  }
  return classes.map(({ class: name }, k) => ({
    class: name,
    mask: { width, height, data: nearest.map((value) => Number(value === k + 1)) },
  }));
}

/** The class numbers, if the image is grey and holds no other values. */
function numbersOf({ data }: RasterImage, classes: number): Uint8Array | undefined {
  const numbers = new Uint8Array(data.length / 3);
  for (let i = 0; i < numbers.length; i++) {
    const value = data[3 * i] as number;
    if (value > classes || value !== data[3 * i + 1] || value !== data[3 * i + 2]) return undefined;
    numbers[i] = value;
  }
  return numbers;
}

/**
 * Fills an outline. The region around the outline's centre is inside, even where the image border cuts the object and the
 * remaining background is in two pieces.
 */
function filledOutline({ width, height, data }: RasterImage, file: string): BinaryMask {
  const out = new Uint8Array(width * height);
  let [count, sumX, sumY] = [0, 0, 0];
  for (let i = 0; i < out.length; i++) {
    if (Math.max(data[3 * i] as number, data[3 * i + 1] as number, data[3 * i + 2] as number) < DRAWN) continue;
    out[i] = 1;
    count++;
    sumX += i % width;
    sumY += Math.floor(i / width);
  }
  if (count === 0) {
    if (data.every((value) => value === data[0])) return { width, height, data: out };
    throw new DataError({
      code: 'E_MASK_EMPTY',
      where: file,
      what: `it shows something, but nothing of level ${DRAWN} or more: no outline`,
    });
  }
  const middle = Math.round(sumY / count) * width + Math.round(sumX / count);
  // The outline is filled already.
  if (out[middle] === 1) return { width, height, data: out };
  const inside = spread(out, middle, width);
  const rest = out.length - count - inside.length;
  if (rest === 0 || inside.length < HOLLOW * out.length)
    throw new DataError({ code: 'E_MASK_EMPTY', where: file, what: 'its outline is not closed, so it has no inside' });
  for (const i of inside) out[i] = 1;
  return { width, height, data: out };
}

/** Pixels 4-connected to a start pixel without crossing a drawn one. */
function spread(drawn: Uint8Array, start: number, width: number): readonly number[] {
  const seen = Uint8Array.from(drawn);
  seen[start] = 1;
  const reached = [start];
  for (let next = 0; next < reached.length; next++) {
    const i = reached[next] as number;
    const x = i % width;
    const around = [x > 0 ? i - 1 : i, x < width - 1 ? i + 1 : i, i - width, i + width];
    for (const neighbour of around)
      if (seen[neighbour] === 0) {
        seen[neighbour] = 1;
        reached.push(neighbour);
      }
  }
  return reached;
}
