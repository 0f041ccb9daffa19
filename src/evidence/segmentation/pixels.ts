import { DataError } from '../../util/index.js';
import type { SegmentedObject } from '../types.js';
import type { PlannedFrame } from './planned-frames.js';

/** Pixels of a segmentation, and what its header says of them. */
export interface EncodedPixels {
  readonly bytes: Uint8Array;
  readonly bitsAllocated: 1 | 8 | 16;
  readonly bitsStored: 1 | 8 | 16;
}

/** Packs masks into bits, eight to a byte from the lowest, without padding between frames (PS3.5, 8.1.1). */
export function packBits(frames: readonly PlannedFrame[], pixels: number): EncodedPixels {
  const bytes = new Uint8Array(Math.ceil((frames.length * pixels) / 8));
  for (const [k, { mask }] of frames.entries()) {
    const start = k * pixels;
    for (let i = 0; i < pixels; i++)
      if (mask.data[i] !== 0) {
        const at = start + i;
        bytes[at >> 3] = (bytes[at >> 3] as number) | (1 << (at & 7));
      }
  }
  return { bytes, bitsAllocated: 1, bitsStored: 1 };
}

/**
 * Writes the numbers of segments into one plane for each frame of the source.
 *
 * @param shown - the frames of the source that show an object, in order.
 * @throws DataError naming the source when two objects share a pixel.
 */
export function labelPlanes(
  frames: readonly PlannedFrame[],
  shown: readonly number[],
  pixels: number,
  { objects, where }: { readonly objects: readonly SegmentedObject[]; readonly where: string },
): EncodedPixels {
  const wide = objects.length > 255;
  const labels = wide ? new Uint16Array(shown.length * pixels) : new Uint8Array(shown.length * pixels);
  for (const { object, frame, mask } of frames) {
    const start = shown.indexOf(frame) * pixels;
    for (let i = 0; i < pixels; i++) {
      if (mask.data[i] === 0) continue;
      const other = labels[start + i] as number;
      if (other !== 0) throw overlapping(frame, objects[other - 1]?.label, objects[object]?.label, where);
      labels[start + i] = object + 1;
    }
  }
  // The processors that Node runs on are little-endian, as the file is.
  const bytes = new Uint8Array(labels.buffer);
  return wide ? { bytes, bitsAllocated: 16, bitsStored: 16 } : { bytes, bitsAllocated: 8, bitsStored: 8 };
}

function overlapping(frame: number, first: string | undefined, second: string | undefined, where: string): DataError {
  return new DataError({
    code: 'E_MASK_VALUE',
    where,
    what: `"${first}" and "${second}" overlap on frame ${frame}; a label map has one segment a pixel`,
    fix: 'Write a binary segmentation, which holds both',
  });
}
