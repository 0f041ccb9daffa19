import type { EncodedSegmentation, EvidenceOptions, SegmentationForm } from './types.js';

export interface SegmentationOptions extends EvidenceOptions {
  /** Default: `binary`. */
  readonly form?: SegmentationForm;
}

/**
 * Encodes a DICOM segmentation (PS3.3, A.51) of an image or a clip: one segment an object, one frame for each segment and source
 * frame that shows it, or with `labelmap` one frame of segment numbers for each source frame. It touches no file.
 *
 * @throws DataError naming the source for masks of another size, frames that it does not have, empty masks, no object at all, and
 *   for objects that overlap in a label map.
 */
export async function encodeSegmentation(_options: SegmentationOptions): Promise<EncodedSegmentation> {
  throw new Error('not yet');
}
