import type { DataSet } from 'dicom-parser';
import { type DicomElement, type DicomElements, empty } from '../../dicom/index.js';
import { textDecoderOf } from './character-set.js';

interface CopiedField {
  readonly tag: string;
  readonly vr: string;
  /** Whether the standard wants it in every file, empty if it is not known (type 2). */
  readonly required: boolean;
}

const field = (tag: string, vr: string, required = false): CopiedField => ({ tag, vr, required });

/** Attributes of patient and study that are copied if identity is kept: those by which an archive files an instance. */
export const COPIED: readonly CopiedField[] = [
  field('00080020', 'DA', true), // Study Date
  field('00080030', 'TM', true), // Study Time
  field('00080050', 'SH', true), // Accession Number
  field('00080090', 'PN', true), // Referring Physician's Name
  field('00081030', 'LO'), // Study Description
  field('00100010', 'PN', true), // Patient's Name
  field('00100020', 'LO', true), // Patient ID
  field('00100021', 'LO'), // Issuer of Patient ID
  field('00100030', 'DA', true), // Patient's Birth Date
  field('00100040', 'CS', true), // Patient's Sex
  field('00101010', 'AS'), // Patient's Age
  field('00101020', 'DS'), // Patient's Size
  field('00101030', 'DS'), // Patient's Weight
  field('0020000D', 'UI', true), // Study Instance UID
  field('00200010', 'SH', true), // Study ID
];

/** VRs whose text is in the file's character set. */
const OF_CHARACTER_SET = ['SH', 'LO', 'PN'];

/** Copies the fields of {@link COPIED}, texts as Unicode. */
export function keptFields(set: DataSet, where: string): DicomElements {
  const decode = textDecoderOf(set.string('x00080005') ?? '', where);
  const kept: Record<string, DicomElement> = {};
  for (const { tag, vr, required } of COPIED) {
    const element = set.elements[`x${tag.toLowerCase()}`];
    const text = element === undefined ? '' : textOf(set, element, OF_CHARACTER_SET.includes(vr) ? decode : undefined);
    if (text !== '') kept[tag] = { vr, Value: [text] };
    else if (required) kept[tag] = empty(vr);
  }
  return kept;
}

function textOf(
  set: DataSet,
  { tag, dataOffset, length }: DataSet['elements'][string],
  decode: ((bytes: Uint8Array) => string) | undefined,
): string {
  if (decode === undefined) return set.string(tag)?.trim() ?? '';
  const bytes = (set.byteArray as Uint8Array).subarray(dataOffset, dataOffset + length);
  return decode(bytes)
    .replace(/[\0 ]+$/, '')
    .trimStart();
}
