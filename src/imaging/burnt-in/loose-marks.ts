import type { BinaryMask } from '../mask.js';
import { findBlobs } from './blobs.js';
import type { TextBox } from './find-text.js';
import type { Plane } from './plane.js';
import { height } from './text-rows.js';

/** Level and contrast of a mark on the dark ground beside the echoes. */
const [LEVEL, CONTRAST] = [56, 30];

/** Marks up to this share of the longer side: letters and words of any size, rulers' ticks; not a second scan. */
const SIZE = 0.15;

/**
 * Finds single letters, ticks and signs on the ground beside the echoes, where nothing else is that bright and sharp: rows of text
 * are found everywhere, a lone letter only here.
 *
 * @param plane - brightness; of a clip, the darkest of its frames.
 * @param region - where to look.
 */
export function looseMarks(plane: Plane, region: BinaryMask, tissue: BinaryMask): TextBox[] {
  const { width, height: tall } = plane;
  const most = Math.round(SIZE * Math.max(width, tall));
  const near = Math.round(0.01 * Math.max(width, tall));
  const beside = plane.data.map((level, i) => (region.data[i] === 1 && tissue.data[i] === 0 ? level : 0));
  const blobs = findBlobs({ width, height: tall, data: beside }, LEVEL, {
    minHeight: 3,
    maxHeight: most,
    maxWidth: most,
    reach: 2,
    minFlat: 0,
  });
  return blobs
    .filter((blob) => blob.contrast >= CONTRAST && blob.area >= 4 && !touches(blob, tissue, near))
    .map((blob) => {
      const pad = 1 + Math.round(0.1 * height(blob));
      return {
        x0: Math.max(0, blob.x0 - pad),
        y0: Math.max(0, blob.y0 - pad),
        x1: Math.min(width - 1, blob.x1 + pad),
        y1: Math.min(tall - 1, blob.y1 + pad),
        uncertain: false,
      };
    });
}

/** Whether a blob comes close to the echoes: it may be their edge. */
function touches(
  { x0, y0, x1, y1 }: { readonly x0: number; readonly y0: number; readonly x1: number; readonly y1: number },
  { width, height: tall, data }: BinaryMask,
  near: number,
): boolean {
  for (let y = Math.max(0, y0 - near); y <= Math.min(tall - 1, y1 + near); y++)
    for (let x = Math.max(0, x0 - near); x <= Math.min(width - 1, x1 + near); x++) if (data[y * width + x] === 1) return true;
  return false;
}
