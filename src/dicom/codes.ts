import type { DicomElement, DicomElements } from './elements.js';

/** A coded concept. */
export interface Code {
  /** Up to 16 characters. */
  readonly value: string;
  /** `SCT` (SNOMED CT), `DCM`, `UCUM`, or private: `99…`. */
  readonly scheme: string;
  /** Up to 64 characters. */
  readonly meaning: string;
}

/** A code of the DICOM standard's own scheme. */
export function dcm(value: string, meaning: string): Code {
  return { value, scheme: 'DCM', meaning };
}

/** A SNOMED CT concept by its identifier. */
export function sct(value: string, meaning: string): Code {
  return { value, scheme: 'SCT', meaning };
}

/** An item of a code sequence. */
export function codeItem({ value, scheme, meaning }: Code): DicomElements {
  return { '00080100': one('SH', value), '00080102': one('SH', scheme), '00080104': one('LO', meaning) };
}

/** A code sequence of one code or several. */
export function codeSequence(...codes: readonly Code[]): DicomElement {
  return sequence(...codes.map(codeItem));
}

/** An element of one value. */
export function one(vr: string, value: string | number): DicomElement {
  return { vr, Value: [value] };
}

/** An element without a value. */
export function empty(vr: string): DicomElement {
  return { vr, Value: [] };
}

export function sequence(...items: readonly DicomElements[]): DicomElement {
  return { vr: 'SQ', Value: items };
}
