import type { z } from 'zod';
import type { mmPerPixel } from './schemas.js';

/** The size of a pixel across and down, of one number or two. */
export function pairOf(size: z.output<typeof mmPerPixel>): readonly [across: number, down: number] | undefined {
  return typeof size === 'number' ? [size, size] : size;
}
