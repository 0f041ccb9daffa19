import type { EncodedInstance, EncodedSegmentation, EvidenceOptions } from './types.js';

export interface ReportOptions extends EvidenceOptions {
  /** The encoded segmentation of the same objects. */
  readonly segmentation: EncodedSegmentation;
}

/**
 * Encodes a measurement report (DICOM SR, TID 1500) of the objects of a segmentation: a planar measurement group (TID 1410) for each
 * object on each frame, which refers to its segment and source frame. An object that could not be measured has its finding and
 * the reason, and no number. It touches no file.
 *
 * @throws DataError naming the source when the segmentation is of other objects.
 */
export async function encodeReport(_options: ReportOptions): Promise<EncodedInstance> {
  throw new Error('not yet');
}
