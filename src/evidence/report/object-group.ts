import { dcm, sct } from '../../dicom/index.js';
import type { MeasuresRecord } from '../../measure/index.js';
import type { PhraseMeaning } from '../phrase-codes.js';
import { trackingUid } from '../segmentation/index.js';
import type { EncodedSegmentation, EvidenceOptions, ObjectOnFrame, SegmentedObject } from '../types.js';
import { type ContentItem, code, container, image, text, uidReference } from './content-items.js';
import { measurementItems } from './measurements.js';

const FINDING = dcm('121071', 'Finding');
const FINDING_CATEGORY = sct('276214006', 'Finding category');
const FINDING_SITE = sct('363698007', 'Finding Site');

/** What identifies an object: the same in a segmentation and in all groups that measure it. */
function identification(object: SegmentedObject, options: EvidenceOptions): ContentItem[] {
  return [
    text('HAS OBS CONTEXT', dcm('112039', 'Tracking Identifier'), object.label),
    uidReference('HAS OBS CONTEXT', dcm('112040', 'Tracking Unique Identifier'), trackingUid(object, options)),
  ];
}

/** Category, finding and site of what a group measures. */
export function findingItems({ category, type, region }: Pick<PhraseMeaning, 'category' | 'type' | 'region'>): ContentItem[] {
  return [
    code('CONTAINS', FINDING_CATEGORY, category),
    code('CONTAINS', FINDING, type),
    ...(region === undefined ? [] : [code('HAS CONCEPT MOD', FINDING_SITE, region)]),
  ];
}

/** What measured it. */
export function methodItems({ algorithm }: EvidenceOptions): ContentItem[] {
  return [
    text('HAS CONCEPT MOD', dcm('111001', 'Algorithm Name'), algorithm.name),
    text('HAS CONCEPT MOD', dcm('111003', 'Algorithm Version'), algorithm.version),
  ];
}

/**
 * The measurement group of an object on a frame (TID 1410): its finding, references to segment and source, and its measures, or
 * the reason why there are none.
 */
export function objectGroup(
  index: number,
  shown: ObjectOnFrame,
  segmentation: EncodedSegmentation,
  options: EvidenceOptions,
): ContentItem {
  const { objects, source } = options;
  const object = objects[index] as SegmentedObject;
  const { measures, unmeasured } = reportedMeasures(shown);
  const facts = [
    ...(shown.score === undefined ? [] : [`confidence of the detector ${shown.score.toFixed(3)}`]),
    ...(measures !== undefined && measures.parts > 1
      ? [`the largest of ${measures.parts} parts is measured, ${(100 * measures.share).toFixed(1)} % of the pixels`]
      : []),
    ...(measures === undefined ? [] : [`scale: ${measures.calibration}`]),
    ...(measures?.spread === undefined ? [] : [spreadOver(measures.spread)]),
    ...(unmeasured === undefined ? [] : [`not measured: ${unmeasured}`]),
  ];
  return container(
    dcm('125007', 'Measurement Group'),
    [
      ...identification(object, options),
      ...findingItems(options.codes.meaningOf(object.phrase)),
      image('CONTAINS', dcm('121214', 'Referenced Segmentation Frame'), {
        ...segmentation,
        // A frame and a segment must not be named together (PS3.3, table 10-3). In a label map the tracking UID tells the segment.
        frame: segmentation.frameOf(index, shown.frame),
      }),
      image('CONTAINS', dcm('121233', 'Source image for segmentation'), {
        ...source,
        frame: source.multiframe ? shown.frame + 1 : undefined,
      }),
      ...methodItems(options),
      ...(measures === undefined ? [] : measurementItems(measures, [])),
      ...(facts.length === 0 ? [] : [text('CONTAINS', dcm('121106', 'Comment'), facts.join('; '))]),
    ],
    '1410',
  );
}

/** What the standard deviations are over. */
function spreadOver({ variants, lost }: NonNullable<MeasuresRecord['spread']>): string {
  return `standard deviations: over ${variants} variants of image, words and threshold${lost === 0 ? '' : `; not found in ${lost} more`}`;
}

function reportedMeasures({ measures }: ObjectOnFrame) {
  if (measures === undefined) return {};
  if (measures.measures !== null) return { measures: measures.measures };
  return { unmeasured: 'unmeasured' in measures ? measures.unmeasured : undefined };
}
