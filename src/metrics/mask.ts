import { SonogroundError } from '../util/index.js';

/** A binary mask: non-zero pixels are inside. Row-major. */
export interface MaskPixels {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
}

/** Pixel counts of two masks on one grid. */
export interface MaskCounts {
  readonly predicted: number;
  readonly truth: number;
  readonly shared: number;
}

/** @throws SonogroundError when the masks lie on different grids. */
export function countPixels(predicted: MaskPixels, truth: MaskPixels): MaskCounts {
  assertSameGrid(predicted, truth);
  let [a, b, shared] = [0, 0, 0];
  for (let i = 0; i < predicted.data.length; i++) {
    const inA = predicted.data[i] !== 0;
    const inB = truth.data[i] !== 0;
    if (inA) a += 1;
    if (inB) b += 1;
    if (inA && inB) shared += 1;
  }
  return { predicted: a, truth: b, shared };
}

/** @throws SonogroundError when the masks lie on different grids. */
export function assertSameGrid(predicted: MaskPixels, truth: MaskPixels): void {
  const sizes = [predicted, truth].map(({ width, height }) => `${width}x${height}`);
  const whole = [predicted, truth].every(({ width, height, data }) => data.length === width * height);
  if (whole && predicted.width === truth.width && predicted.height === truth.height) return;
  throw new SonogroundError({
    code: 'E_MASK_SIZE',
    where: 'comparing masks',
    what: whole ? `one is ${sizes[0]}, the other ${sizes[1]}` : 'a mask has not as many values as its size says',
    fix: 'Bring both to the grid of the image first',
  });
}
