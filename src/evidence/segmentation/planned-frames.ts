import type { BinaryMask } from '../../imaging/index.js';
import { DataError } from '../../util/index.js';
import type { SegmentedObject, SourceInstance } from '../types.js';

/** A frame of a binary segmentation: one object on one frame of the source. */
export interface PlannedFrame {
  /** Index of the object. */
  readonly object: number;
  /** Of the source, from 0. */
  readonly frame: number;
  readonly mask: BinaryMask;
}

/** A file has 65,535 segments at most (VR US). */
const MAX_SEGMENTS = 65_535;

/**
 * The frames of a segmentation, object by object, in the order of the source's frames.
 *
 * @throws DataError naming the source for masks that do not fit it, empty masks and frames that come twice.
 */
export function planFrames(objects: readonly SegmentedObject[], source: SourceInstance): PlannedFrame[] {
  const refuse = (what: string, fix: string, code: DataError['code'] = 'E_DICOM_REFERENCE') =>
    new DataError({ code, where: source.where, what, fix });
  if (objects.length === 0)
    throw refuse('there is no object to write', 'Write no segmentation of an image in which nothing was found', 'E_MASK_EMPTY');
  if (objects.length > MAX_SEGMENTS)
    throw refuse(`${objects.length} objects were found; a segmentation holds ${MAX_SEGMENTS}`, 'Raise the threshold');
  return objects.flatMap(({ label, frames }, object) => {
    if (frames.length === 0) throw refuse(`no frame shows "${label}"`, 'Leave it out', 'E_MASK_EMPTY');
    const sorted = [...frames].sort((a, b) => a.frame - b.frame);
    for (const [i, { frame, mask }] of sorted.entries()) {
      if (!Number.isInteger(frame) || frame < 0 || frame >= source.frames)
        throw refuse(
          `"${label}" is on frame ${frame}, and the file has ${source.frames}`,
          'Segment this file again',
          'E_FRAME_NOT_FOUND',
        );
      if (sorted[i + 1]?.frame === frame)
        throw refuse(`"${label}" is twice on frame ${frame}`, 'Give each mask an object of its own');
      if (mask.width !== source.columns || mask.height !== source.rows)
        throw refuse(
          `the mask of "${label}" has ${mask.width}x${mask.height} pixels, the file ${source.columns}x${source.rows}`,
          'Segment this file again',
          'E_MASK_SIZE',
        );
      if (!mask.data.includes(1))
        throw refuse(`the mask of "${label}" on frame ${frame} is empty`, 'Leave it out', 'E_MASK_EMPTY');
    }
    return sorted.map(({ frame, mask }) => ({ object, frame, mask }));
  });
}
