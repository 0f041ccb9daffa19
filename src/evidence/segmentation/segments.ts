import { type Code, codeItem, codeSequence, type DicomElements, dcm, one } from '../../dicom/index.js';
import { shortened } from '../general.js';
import type { EvidenceOptions, SegmentedObject } from '../types.js';

const ARTIFICIAL_INTELLIGENCE = dcm('123110', 'Artificial Intelligence');

/** Longest text of VR LO. */
const LO = 64;

/** The item of the Segment Sequence (0062,0002) for an object. */
export function segmentItem(object: SegmentedObject, number: number, options: EvidenceOptions): DicomElements {
  const { codes, algorithm } = options;
  const { category, type, modifiers, region } = codes.meaningOf(object.phrase);
  return {
    ...(region && { '00082218': codeSequence(region) }),
    '00620003': codeSequence(category),
    '00620004': one('US', number),
    '00620005': one('LO', shortened(object.label, LO)),
    '00620006': one('ST', object.phrase),
    '00620007': {
      vr: 'SQ',
      Value: [
        {
          '0066002F': codeSequence(ARTIFICIAL_INTELLIGENCE),
          '00660031': one('LO', shortened(algorithm.version, LO)),
          ...(algorithm.parameters === undefined ? {} : { '00660032': one('LT', algorithm.parameters) }),
          '00660036': one('LO', shortened(algorithm.name, LO)),
          '00240202': one('LO', 'sonoground'), // Algorithm Source
        },
      ],
    },
    '00620008': one('CS', 'AUTOMATIC'),
    '00620009': one('LO', shortened(algorithm.name, LO)),
    '0062000F': { vr: 'SQ', Value: [typeItem(type, modifiers)] },
    '00620020': one('UT', object.label),
    '00620021': one('UI', trackingUid(object, options)),
  };
}

function typeItem(type: Code, modifiers: readonly Code[]): DicomElements {
  return { ...codeItem(type), ...(modifiers.length === 0 ? {} : { '00620011': codeSequence(...modifiers) }) };
}

/** The tracking UID of an object, by which a report refers to it too. */
export function trackingUid({ label }: SegmentedObject, { source, identity, run }: EvidenceOptions): string {
  return identity.made('object', source.sopInstance, run, label);
}
