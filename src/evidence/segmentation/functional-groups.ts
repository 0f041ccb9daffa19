import { codeSequence, type DicomElements, dcm, one, sequence } from '../../dicom/index.js';
import { instanceReference } from '../general.js';
import type { SourceInstance } from '../types.js';

const SEGMENTATION = dcm('113076', 'Segmentation');
const SOURCE_IMAGE = dcm('121322', 'Source image for image processing operation');

/** Tags that dimensions point to. */
const [SEGMENT_NUMBER, SEGMENT_IDENTIFICATION, TEMPORAL_POSITION, FRAME_CONTENT] = [
  0x0062000b, 0x0062000a, 0x00209128, 0x00209111,
];

/** A frame of a segmentation: the segment that it shows, or all in a label map, and the frame of the source. */
export interface DescribedFrame {
  readonly segment?: number | undefined;
  readonly frame: number;
}

/**
 * The dimensions of a segmentation without a Frame of Reference: the segment, unless it is a label map, and the frame of a clip.
 *
 * @param uid - identifies the organisation of the dimensions.
 */
export function dimensions(source: SourceInstance, bySegment: boolean, uid: string): DicomElements {
  const dimension = (pointer: number, group: number, label: string): DicomElements => ({
    '00209164': one('UI', uid),
    '00209165': one('AT', pointer),
    '00209167': one('AT', group),
    '00209421': one('LO', label),
  });
  return {
    '00209221': sequence({ '00209164': one('UI', uid) }),
    '00209222': sequence(
      ...(bySegment ? [dimension(SEGMENT_NUMBER, SEGMENT_IDENTIFICATION, 'Segment Number')] : []),
      ...(isTemporal(source, bySegment) ? [dimension(TEMPORAL_POSITION, FRAME_CONTENT, 'Frame of the source')] : []),
    ),
  };
}

/** A label map needs a dimension even if it has a single frame. */
function isTemporal(source: SourceInstance, bySegment: boolean): boolean {
  return source.multiframe || !bySegment;
}

/** The functional groups of each frame: which frame of which instance it is of, its place in the dimensions, and its segment. */
export function functionalGroups(frames: readonly DescribedFrame[], source: SourceInstance): DicomElements[] {
  return frames.map(({ segment, frame }) => {
    const index = [
      ...(segment === undefined ? [] : [segment]),
      ...(isTemporal(source, segment !== undefined) ? [frame + 1] : []),
    ];
    return {
      '00089124': sequence({
        '00082112': sequence({
          ...instanceReference(source),
          ...(source.multiframe ? { '00081160': one('IS', String(frame + 1)) } : {}),
          '0028135A': one('CS', 'YES'),
          '0040A170': codeSequence(SOURCE_IMAGE),
        }),
        '00089215': codeSequence(SEGMENTATION),
      }),
      '00209111': sequence({
        ...(isTemporal(source, segment !== undefined) ? { '00209128': one('UL', frame + 1) } : {}),
        '00209157': { vr: 'UL', Value: index },
      }),
      ...(segment === undefined ? {} : { '0062000A': sequence({ '0062000B': one('US', segment) }) }),
    };
  });
}
