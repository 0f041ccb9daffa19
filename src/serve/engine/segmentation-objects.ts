import { type BinaryMask, DicomSegmentation, type Size } from '../../imaging/index.js';
import { DataError } from '../../util/index.js';

/** An image or clip that is kept, as a segmentation refers to it. */
export interface SegmentedSource {
  readonly size: Size;
  /** SOP Instance UID; undefined for other formats than DICOM. */
  readonly instance: string | undefined;
  /** Frames to read, from 0. Default: all. */
  readonly frame?: number | undefined;
}

/** A segment on a frame. */
export interface SegmentOnFrame {
  readonly frame: number;
  readonly segment: number;
  readonly name: string;
  readonly mask: BinaryMask;
}

/**
 * Reads a DICOM segmentation of an image or a clip: its segments frame by frame, with their names.
 *
 * @param name - of the file, for errors.
 * @throws DataError naming the file when it is no segmentation, of another image, of other rows and columns, or damaged.
 */
export async function* segmentsOf(
  bytes: Uint8Array,
  name: string,
  source: SegmentedSource,
): AsyncGenerator<SegmentOnFrame, void> {
  const segmentation = await DicomSegmentation.parse(bytes, name);
  if (segmentation === undefined)
    throw new DataError({
      code: 'E_IMAGE_FORMAT',
      where: name,
      what: 'it is no DICOM segmentation',
      fix: 'Choose a file of the class Segmentation or Label Map Segmentation',
    });
  segmentation.requireSize(source.size);
  const names = new Map(
    segmentation.header.segments.map(({ number, label, names: [first] }) => [number, label || first || `segment ${number}`]),
  );
  // Also where none is shown: masks of another image are refused.
  for (const frame of source.frame === undefined ? segmentation.shown() : [source.frame])
    for (const { segment, mask } of await segmentation.masks(frame, source.instance))
      yield { frame, segment, name: names.get(segment) ?? `segment ${segment}`, mask };
}
