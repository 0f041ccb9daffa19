import type { BinaryMask, SpacingMm } from '../../src/imaging/index.js';

/** An ellipse in millimetres on a grid of pixels that need not be square. */
export interface EllipseParts {
  /** Full axes. */
  readonly axesMm: readonly [number, number];
  /** Of the first axis from the horizontal towards the bottom, in radians. */
  readonly angle: number;
  readonly spacingMm: SpacingMm;
  /** From the middle of the image, in millimetres. Default: none. */
  readonly offsetMm?: readonly [number, number];
}

/** The pixels whose centres lie inside. The image is as large as any rotation needs. */
export function ellipseMask({ axesMm, angle, spacingMm: [sx, sy], offsetMm = [0, 0] }: EllipseParts): BinaryMask {
  const reach = Math.max(...axesMm) / 2;
  const width = Math.ceil((2 * (reach + Math.abs(offsetMm[0]))) / sx) + 4;
  const height = Math.ceil((2 * (reach + Math.abs(offsetMm[1]))) / sy) + 4;
  const data = new Uint8Array(width * height);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const dx = (x + 0.5 - width / 2) * sx - offsetMm[0];
      const dy = (y + 0.5 - height / 2) * sy - offsetMm[1];
      const [u, v] = [(2 * (dx * cos + dy * sin)) / axesMm[0], (2 * (dy * cos - dx * sin)) / axesMm[1]];
      if (u * u + v * v <= 1) data[y * width + x] = 1;
    }
  }
  return { width, height, data };
}
