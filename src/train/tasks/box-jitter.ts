import type { BoxXyxy } from '../../imaging/index.js';
import type { Rng } from '../../util/index.js';

/** Standard deviation of the noise on each side of a box prompt, as a share of the box. SAM, appendix A. */
const BOX_NOISE = 0.1;

/** Moves each side of a box by random noise, clamped to the image. */
export function jitter(
  [x0, y0, x1, y1]: BoxXyxy,
  { width, height }: { readonly width: number; readonly height: number },
  rng: Rng,
): [number, number, number, number] {
  const dx = () => rng.normal(0, BOX_NOISE * (x1 - x0));
  const dy = () => rng.normal(0, BOX_NOISE * (y1 - y0));
  const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);
  const left = clamp(x0 + dx(), 0, width - 2);
  const top = clamp(y0 + dy(), 0, height - 2);
  return [left, top, clamp(x1 + dx(), left + 1, width), clamp(y1 + dy(), top + 1, height)];
}
