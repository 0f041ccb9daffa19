import { type DicomElements, decimalString, empty, encodeDicom, one, sequence } from '../../dicom/index.js';
import { generalElements, instanceReference } from '../general.js';
import type { EncodedSegmentation, EvidenceOptions, SegmentationForm, SourceInstance } from '../types.js';
import { type DescribedFrame, dimensions, functionalGroups } from './functional-groups.js';
import { type EncodedPixels, labelPlanes, packBits } from './pixels.js';
import { planFrames } from './planned-frames.js';
import { segmentItem } from './segments.js';

export interface SegmentationOptions extends EvidenceOptions {
  /** Default: `binary`. */
  readonly form?: SegmentationForm | undefined;
}

/** Segmentation Storage and Label Map Segmentation Storage. */
const SOP_CLASSES: Readonly<Record<SegmentationForm, string>> = {
  binary: '1.2.840.10008.5.1.4.1.1.66.4',
  labelmap: '1.2.840.10008.5.1.4.1.1.66.7',
};

/** Above those that scanners count to. */
const SERIES_NUMBER = 9001;

/**
 * Encodes a DICOM segmentation (PS3.3, A.51) of an image or a clip: one segment an object, one frame for each segment and source
 * frame that shows it, or as `labelmap` one frame of segment numbers for each source frame that shows any. It has no Frame of
 * Reference: its frames refer to those of the source and have their rows and columns. It touches no file.
 *
 * @throws DataError naming the source for masks of another size, frames that it does not have, empty masks, no object at all, and
 *   for objects that overlap in a label map.
 */
export async function encodeSegmentation(options: SegmentationOptions): Promise<EncodedSegmentation> {
  const { source, objects, form = 'binary', identity, run } = options;
  const planned = planFrames(objects, source);
  const pixels = source.rows * source.columns;
  const shown = [...new Set(planned.map(({ frame }) => frame))].sort((a, b) => a - b);
  const binary = form === 'binary';
  const frames: readonly DescribedFrame[] = binary
    ? planned.map(({ object, frame }) => ({ segment: object + 1, frame }))
    : shown.map((frame) => ({ frame }));
  const encoded = binary ? packBits(planned, pixels) : labelPlanes(planned, shown, pixels, { objects, where: source.where });
  const sopClass = SOP_CLASSES[form];
  const sopInstance = identity.made('segmentation', form, source.sopInstance, run);
  const series = identity.made('segmentations', form, source.series, run);
  const kind = {
    sopClass,
    sopInstance,
    series,
    modality: 'SEG',
    seriesNumber: SERIES_NUMBER,
    seriesDescription: 'Segmentation by sonoground',
  } as const;
  const elements: DicomElements = {
    ...generalElements(kind, options),
    '00080008': { vr: 'CS', Value: ['DERIVED', 'PRIMARY'] },
    '00081115': sequence({ '0008114A': sequence(instanceReference(source)), '0020000E': one('UI', source.series) }),
    '00200020': empty('CS'), // Patient Orientation: not known
    ...(source.laterality === undefined ? {} : { '00200060': one('CS', source.laterality) }),
    ...dimensions(source, binary, identity.made('dimensions', sopInstance)),
    ...imagePixel(encoded, frames.length, source),
    '00620001': one('CS', binary ? 'BINARY' : 'LABELMAP'),
    '00620002': sequence(...objects.map((object, i) => segmentItem(object, i + 1, options))),
    '00620013': one('CS', binary ? 'UNDEFINED' : 'NO'), // Segments Overlap
    '00700080': one('CS', 'SEGMENTATION'),
    '00700081': one('LO', 'Segmentation of what a prompt names'),
    '00700084': empty('PN'),
    '52009229': sequence({}),
    '52009230': sequence(...functionalGroups(frames, source)),
  };
  const bytes = await encodeDicom({ sopClass, sopInstance, elements, pixels: encoded, anyLength: identity.kept });
  const numberOf = new Map<string, number>();
  for (const [i, { object, frame }] of planned.entries())
    numberOf.set(`${object} ${frame}`, (binary ? i : shown.indexOf(frame)) + 1);
  return {
    sopClass,
    sopInstance,
    series,
    study: source.study,
    bytes,
    form,
    segmentNumbers: objects.map((_, i) => i + 1),
    frameOf(object, frame) {
      const number = numberOf.get(`${object} ${frame}`);
      if (number === undefined) throw new RangeError(`segment ${object + 1} is not on frame ${frame}`);
      return number;
    },
  };
}

function imagePixel({ bitsAllocated, bitsStored }: EncodedPixels, frames: number, source: SourceInstance): DicomElements {
  const { rows, columns } = source;
  return {
    '00280002': one('US', 1),
    '00280004': one('CS', 'MONOCHROME2'),
    '00280008': one('IS', String(frames)),
    '00280010': one('US', rows),
    '00280011': one('US', columns),
    '00280100': one('US', bitsAllocated),
    '00280101': one('US', bitsStored),
    '00280102': one('US', bitsStored - 1),
    '00280103': one('US', 0),
    // The background of a label map.
    ...(bitsAllocated === 1 ? {} : { '00280120': one('US', 0), '20500020': one('CS', 'IDENTITY') }),
    ...lossyCompression(source),
  };
}

/** What is derived from pixels that were compressed with losses states so (PS3.3, C.7.6.1.1.5). */
function lossyCompression({ lossy }: SourceInstance): DicomElements {
  if (lossy === undefined) return { '00282110': one('CS', '00') };
  const { ratios, methods } = lossy;
  return {
    '00282110': one('CS', '01'),
    ...(ratios.length === 0 ? {} : { '00282112': { vr: 'DS', Value: ratios.map(decimalString) } }),
    ...(methods.length === 0 ? {} : { '00282114': { vr: 'CS', Value: methods } }),
  };
}
