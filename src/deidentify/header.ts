import type { DataSet } from 'dicom-parser';
import type { DicomElement, DicomElements } from '../dicom/index.js';
import type { DicomSource } from '../imaging/index.js';
import { datesOf } from './dates.js';
import { KEPT, KEPT_OF_GREY } from './kept.js';
import type { Pseudonyms } from './pseudonyms.js';
import { parserTag, readKept } from './read-kept.js';
import { IMAGE_TYPE, manufacturer } from './terms.js';

export interface HeaderOptions {
  readonly pseudonyms: Pseudonyms;
  readonly sopClass: string;
  /** Dates are removed, or shifted by the same number of days for all files of a patient. */
  readonly dates: 'remove' | 'shift';
  /** Whether nothing is left in the pixels that a person has to look at. */
  readonly pixelsClean: boolean;
}

/** The pixels as they are written: grey as stored, everything else as RGB. */
export interface WrittenPixels {
  readonly kind: 'grey' | 'rgb';
  readonly bitsAllocated: 8 | 16;
  readonly bitsStored: number;
}

/** A new header and the names derived from identifiers. */
export interface NewHeader {
  readonly elements: DicomElements;
  readonly sopInstance: string;
  readonly patient: string;
}

/** An original identifier, to be replaced. */
const [PATIENT_ID, PATIENT_NAME, STUDY, SERIES, FRAME_OF_REFERENCE, INSTANCE] = [
  '00100020',
  '00100010',
  '0020000D',
  '0020000E',
  '00200052',
  '00080018',
];

/**
 * Makes the header of a de-identified image: the attributes of {@link KEPT}, the image's form, replaced identifiers, empty fields
 * where the standard requires one, and a statement of what was done.
 *
 * @param fallback - identifies a file without a SOP instance UID: a hash of its content.
 */
export function newHeader(source: DicomSource, pixels: WrittenPixels, options: HeaderOptions, fallback: string): NewHeader {
  const { set } = source;
  const { pseudonyms, sopClass, dates } = options;
  const text = (tag: string) => set.string(parserTag(tag))?.trim() ?? '';
  const study = text(STUDY) || `study of ${fallback}`;
  const patient = text(PATIENT_ID) || text(PATIENT_NAME) || study;
  const series = text(SERIES) || `series of ${study}`;
  const sopInstance = pseudonyms.uid(text(INSTANCE) || fallback);
  const name = pseudonyms.name('patient', patient);
  const days = dates === 'shift' ? pseudonyms.days(patient) : undefined;
  const elements: Record<string, DicomElement> = {
    ...requiredEmpty(),
    ...readKept(set, KEPT),
    ...(pixels.kind === 'grey' ? readKept(set, KEPT_OF_GREY) : {}),
    ...datesOf(set, days),
    '00080008': { vr: 'CS', Value: imageType(set) },
    '00080016': one('UI', sopClass),
    '00080018': one('UI', sopInstance),
    '00080070': { vr: 'LO', Value: [manufacturer(set.string('x00080070'))].filter((maker) => maker !== '') },
    '00100010': one('PN', name),
    '00100020': one('LO', name),
    '0020000D': one('UI', pseudonyms.uid(study)),
    '0020000E': one('UI', pseudonyms.uid(series)),
    ...(text(FRAME_OF_REFERENCE) === '' ? {} : { '00200052': one('UI', pseudonyms.uid(text(FRAME_OF_REFERENCE))) }),
    ...statement(options),
    ...form(source, pixels),
    ...compression(source, set),
  };
  elements['00080060'] ??= one('CS', sopClass.includes('.1.1.7') ? 'OT' : 'US');
  if (sopClass.includes('.1.1.7')) elements['00080064'] ??= one('CS', 'WSD');
  else delete elements['00080064'];
  return { elements, sopInstance, patient: name };
}

function one(vr: string, value: string | number): DicomElement {
  return { vr, Value: [value] };
}

/** Attributes that must be present and may be empty (type 2). */
function requiredEmpty(): DicomElements {
  const empty = (vr: string): DicomElement => ({ vr, Value: [] });
  return {
    '00080050': empty('SH'), // Accession Number
    '00080090': empty('PN'), // Referring Physician's Name
    '00100030': empty('DA'), // Patient's Birth Date
    '00100040': empty('CS'), // Patient's Sex
    '00200010': empty('SH'), // Study ID
    '00200011': empty('IS'), // Series Number
    '00200013': empty('IS'), // Instance Number
    '00200020': empty('CS'), // Patient Orientation
    '00200060': empty('CS'), // Laterality
  };
}

/** Image Type: derived, since pixels were replaced; the other values if they are defined terms. */
function imageType(set: DataSet): string[] {
  const values = (set.string('x00080008') ?? '').split('\\').map((value) => value.trim().toUpperCase());
  const [, second, third] = IMAGE_TYPE.map((terms, i) => (terms as readonly string[]).find((term) => term === values[i]));
  return ['DERIVED', second ?? 'SECONDARY', ...(third === undefined ? [] : [third])];
}

const METHODS = [
  ['113100', 'Basic Application Confidentiality Profile'],
  ['113101', 'Clean Pixel Data Option'],
  ['113107', 'Retain Longitudinal Temporal Information Modified Dates Option'],
] as const;

/** What was done: PS3.15, annex E.1.1, and PS3.16, CID 7050. */
function statement({ dates, pixelsClean }: HeaderOptions): DicomElements {
  const done = METHODS.filter(([code]) => (code === '113101' ? pixelsClean : code === '113107' ? dates === 'shift' : true));
  return {
    '00120062': one('CS', 'YES'),
    '00120063': one('LO', 'sonoground deidentify'),
    '00120064': {
      vr: 'SQ',
      Value: done.map(([code, meaning]) => ({
        '00080100': one('SH', code),
        '00080102': one('SH', 'DCM'),
        '00080104': one('LO', meaning),
      })),
    },
    // "NO" is a promise: where a person has yet to look, nothing is stated.
    ...(pixelsClean ? { '00280301': one('CS', 'NO') } : {}),
    '00280303': one('CS', dates === 'shift' ? 'MODIFIED' : 'REMOVED'),
  };
}

/** Rows, columns, depth and colours of the pixels that are written. */
function form({ header, set }: DicomSource, { kind, bitsAllocated, bitsStored }: WrittenPixels): DicomElements {
  const { width, height, frames, signed, photometric } = header;
  const grey = kind === 'grey';
  const rescaled = grey && set.elements['x00281053'] !== undefined;
  return {
    '00280002': one('US', grey ? 1 : 3),
    '00280004': one('CS', grey ? photometric : 'RGB'),
    ...(grey ? {} : { '00280006': one('US', 0) }),
    ...multiframe(set, frames),
    '00280010': one('US', height),
    '00280011': one('US', width),
    '00280100': one('US', bitsAllocated),
    '00280101': one('US', bitsStored),
    '00280102': one('US', bitsStored - 1),
    '00280103': one('US', grey && signed ? 1 : 0),
    ...(rescaled
      ? {
          '00281052': one('DS', String(header.intercept)),
          '00281053': one('DS', String(header.slope)),
          '00281054': one('LO', 'US'),
        }
      : {}),
  };
}

/** Number of Frames and, for clips, the attribute that times them. */
function multiframe(set: DataSet, frames: number): DicomElements {
  if (frames === 1 && set.elements['x00280008'] === undefined) return {};
  const vector = set.elements['x00181065'] !== undefined && set.elements['x00181063'] === undefined;
  return {
    '00280008': one('IS', String(frames)),
    '00280009': one('AT', vector ? 0x00181065 : 0x00181063),
    ...(vector || set.elements['x00181063'] !== undefined ? {} : { '00181063': one('DS', '0') }),
  };
}

/** Pixels once compressed with losses stay so, even if the source does not say it. */
function compression({ header: { packing, transferSyntax } }: DicomSource, set: DataSet): DicomElements {
  const stated = set.string('x00282110')?.trim() === '01';
  // Of JPEG-LS and JPEG 2000, these syntaxes allow losses; the source may state that there are none.
  const lossless = set.string('x00282110')?.trim() === '00' && packing !== 'jpeg';
  const lossy = /\.4\.(50|51|81|91)$/.test(transferSyntax) && packing !== 'native' && !lossless;
  const method = lossy
    ? { jpeg: 'ISO_10918_1', 'jpeg-ls': 'ISO_14495_1', 'jpeg-2000': 'ISO_15444_1' }[packing as 'jpeg']
    : undefined;
  if (!stated && method === undefined) return {};
  return { '00282110': one('CS', '01'), ...(method === undefined ? {} : { '00282114': one('CS', method) }) };
}
