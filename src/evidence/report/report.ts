import { codeSequence, type DicomElements, dcm, encodeDicom, IMPLEMENTATION, one, sct, sequence } from '../../dicom/index.js';
import { DataError } from '../../util/index.js';
import { generalElements, instanceReference } from '../general.js';
import type { EncodedInstance, EncodedSegmentation, EvidenceOptions, PlaneVolume } from '../types.js';
import { type ContentItem, code, container, containerValue, text, uidReference } from './content-items.js';
import { objectGroup } from './object-group.js';
import { placeOf, volumeGroup } from './volume-group.js';

export interface ReportOptions extends EvidenceOptions {
  /** The encoded segmentation of the same objects. */
  readonly segmentation: EncodedSegmentation;
  /** Volumes of which the source shows a plane. Default: none. */
  readonly volumes?: readonly PlaneVolume[] | undefined;
}

/** Comprehensive SR Storage. */
const SOP_CLASS = '1.2.840.10008.5.1.4.1.1.88.33';

const SERIES_NUMBER = 9002;

/**
 * Encodes a measurement report (DICOM SR, TID 1500) of the objects of a segmentation: a planar measurement group (TID 1410) for each
 * object on each frame, which refers to its segment and source frame, and a group for each volume (TID 1501). An object that could
 * not be measured has its finding and the reason, and no number. It touches no file.
 *
 * @throws DataError naming the source when the segmentation is of other objects.
 */
export async function encodeReport(options: ReportOptions): Promise<EncodedInstance> {
  const { source, objects, segmentation, identity, volumes = [] } = options;
  if (segmentation.segmentNumbers.length !== objects.length || segmentation.study !== source.study)
    throw new DataError({
      code: 'E_DICOM_REFERENCE',
      where: source.where,
      what: `the segmentation has ${segmentation.segmentNumbers.length} segments, the report ${objects.length} objects`,
      fix: 'Encode both from the same objects',
    });
  const groups = [
    ...objects.flatMap(({ frames }, i) => frames.map((shown) => objectGroup(i, shown, segmentation, options))),
    ...volumes.map((volume) => volumeGroup(volume, options)),
  ];
  const places = new Set(volumes.flatMap(({ planes }) => planes.map(placeOf)));
  const sopInstance = identity.made('report', segmentation.sopInstance, ...places);
  const series = identity.made('reports', segmentation.series);
  const planes = volumes.flatMap((volume) => volume.planes.map((plane) => plane.source));
  const sources = new Map([source, ...planes].map((one) => [one.sopInstance, one]));
  return encodeDocument({ groups, sopInstance, series, evidence: [...sources.values(), segmentation] }, options);
}

interface Document {
  readonly groups: readonly ContentItem[];
  readonly sopInstance: string;
  readonly series: string;
  /** Instances that the content refers to. */
  readonly evidence: readonly Pick<EncodedInstance, 'sopClass' | 'sopInstance' | 'series' | 'study'>[];
}

async function encodeDocument(
  { groups, sopInstance, series, evidence }: Document,
  options: EvidenceOptions,
): Promise<EncodedInstance> {
  const { source, identity } = options;
  const kind = {
    sopClass: SOP_CLASS,
    sopInstance,
    series,
    modality: 'SR',
    seriesNumber: SERIES_NUMBER,
    seriesDescription: 'Measurements by sonoground',
  } as const;
  const elements: DicomElements = {
    ...generalElements(kind, options),
    '00081111': sequence(), // Referenced Performed Procedure Step
    '0040A040': one('CS', 'CONTAINER'),
    '0040A043': codeSequence(dcm('126000', 'Imaging Measurement Report')),
    ...containerValue('1500'),
    '0040A372': sequence(), // Performed Procedure Code
    '0040A375': evidenceSequence(evidence),
    '0040A491': one('CS', 'COMPLETE'),
    '0040A493': one('CS', 'UNVERIFIED'),
    '0040A730': sequence(...context(options), container(dcm('126010', 'Imaging Measurements'), groups)),
  };
  const bytes = await encodeDicom({ sopClass: SOP_CLASS, sopInstance, elements, anyLength: identity.kept });
  return { sopClass: SOP_CLASS, sopInstance, series, study: source.study, bytes };
}

/** Language, observer and procedure: TID 1204, TID 1004 and the second part of TID 1500. */
function context({ algorithm }: EvidenceOptions): ContentItem[] {
  return [
    code('HAS CONCEPT MOD', dcm('121049', 'Language of Content Item and Descendants'), {
      value: 'en',
      scheme: 'RFC5646',
      meaning: 'English',
    }),
    code('HAS OBS CONTEXT', dcm('121005', 'Observer Type'), dcm('121007', 'Device')),
    uidReference('HAS OBS CONTEXT', dcm('121012', 'Device Observer UID'), IMPLEMENTATION.uid),
    text('HAS OBS CONTEXT', dcm('121013', 'Device Observer Name'), 'sonoground'),
    text('HAS OBS CONTEXT', dcm('121014', 'Device Observer Manufacturer'), 'sonoground'),
    text('HAS OBS CONTEXT', dcm('121015', 'Device Observer Model Name'), `sonoground ${algorithm.version}`),
    code('HAS CONCEPT MOD', dcm('121058', 'Procedure reported'), sct('363679005', 'Imaging procedure')),
  ];
}

/** The instances by study and series. */
function evidenceSequence(evidence: Document['evidence']): DicomElements[string] {
  const studies = new Map<string, Map<string, DicomElements[]>>();
  for (const instance of evidence) {
    const ofStudy = studies.get(instance.study) ?? new Map<string, DicomElements[]>();
    studies.set(
      instance.study,
      ofStudy.set(instance.series, [...(ofStudy.get(instance.series) ?? []), instanceReference(instance)]),
    );
  }
  return sequence(
    ...[...studies].map(([study, series]) => ({
      '00081115': sequence(
        ...[...series].map(([uid, instances]) => ({ '00081199': sequence(...instances), '0020000E': one('UI', uid) })),
      ),
      '0020000D': one('UI', study),
    })),
  );
}
