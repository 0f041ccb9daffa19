import { type DicomElements, IMPLEMENTATION, one, sequence } from '../dicom/index.js';
import { PRIVATE_SCHEME } from './phrase-codes.js';
import type { EvidenceOptions, SourceInstance } from './types.js';

/** What distinguishes a kind of output. */
export interface OutputKind {
  readonly sopClass: string;
  readonly sopInstance: string;
  readonly series: string;
  readonly modality: 'SEG' | 'SR';
  readonly seriesNumber: number;
  readonly seriesDescription: string;
}

/** The attributes that segmentations and reports share: patient, study, series, equipment, and the instance itself. */
export function generalElements(kind: OutputKind, { source, identity, algorithm, date }: EvidenceOptions): DicomElements {
  const [day, time] = dateAndTime(date ?? (identity.kept ? new Date() : FIXED_DATE));
  return {
    '00080005': one('CS', 'ISO_IR 192'),
    '00080016': one('UI', kind.sopClass),
    '00080018': one('UI', kind.sopInstance),
    '00080023': one('DA', day),
    '00080033': one('TM', time),
    '00080060': one('CS', kind.modality),
    '00080070': one('LO', 'sonoground'),
    '00081090': one('LO', 'sonoground'),
    '00080110': sequence({ '00080102': one('SH', PRIVATE_SCHEME), '00080115': one('ST', 'sonoground, private codes') }),
    '0008103E': one('LO', kind.seriesDescription),
    '00181000': one('LO', IMPLEMENTATION.uid),
    '00181020': one('LO', algorithm.version),
    '0020000E': one('UI', kind.series),
    '00200011': one('IS', String(kind.seriesNumber)),
    '00200013': one('IS', String(source.instanceNumber)),
    ...source.patientAndStudy,
  };
}

/** In place of the date where identity is replaced: the true one would tell that of the study. */
const FIXED_DATE = new Date(Date.UTC(2000, 0, 1));

function dateAndTime(date: Date): [string, string] {
  const digits = date.toISOString().replace(/\D/g, '');
  return [digits.slice(0, 8), digits.slice(8, 14)];
}

/** The reference to an instance. */
export function instanceReference({ sopClass, sopInstance }: Pick<SourceInstance, 'sopClass' | 'sopInstance'>): DicomElements {
  return { '00081150': one('UI', sopClass), '00081155': one('UI', sopInstance) };
}

/** Shortens a text to the characters that a VR takes. */
export function shortened(text: string, most: number): string {
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`;
}
