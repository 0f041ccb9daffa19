import { itemsOf, type JsonDataSet, parseDataSets, textOf } from './json-model.js';

/** What an archive says of the objects of one request. */
export interface StoreReport {
  /** UIDs that it has stored now. */
  readonly stored: ReadonlySet<string>;
  /** Its reason for each that it has not, in words. */
  readonly failed: ReadonlyMap<string, string>;
}

/** Failure reasons (PS3.18, annex I) in words. */
const REASONS: Readonly<Record<string, string>> = {
  '110': 'processing failure: it may be refused by a rule of the archive, or belong to another study',
  '111': 'there is an object of this UID already',
  '122': 'it does not take this kind of object',
  '124': 'it is not authorised',
  '213': 'its resources are used up',
  '301': 'it does not accept it',
  c000: 'it does not understand the object',
};

/**
 * Reads a STOW-RS answer: Referenced and Failed SOP Sequence. An answer in another form than DICOM JSON says nothing of the
 * objects.
 *
 * @returns undefined for such an answer.
 */
export function parseStoreReport(text: string, where: string): StoreReport | undefined {
  let set: JsonDataSet | undefined;
  try {
    [set] = parseDataSets(text, where);
  } catch {
    return undefined;
  }
  if (set === undefined || (set['00081199'] === undefined && set['00081198'] === undefined)) return undefined;
  const uidOf = (item: JsonDataSet) => textOf(item, '00081155') ?? '';
  return {
    stored: new Set(itemsOf(set, '00081199').map(uidOf)),
    failed: new Map(itemsOf(set, '00081198').map((item) => [uidOf(item), reasonOf(textOf(item, '00081197'))])),
  };
}

function reasonOf(code: string | undefined): string {
  if (code === undefined) return 'no reason is given';
  const hex = Number(code).toString(16);
  const known = REASONS[hex] ?? REASONS[hex.replace(/^c...$/, 'c000')];
  return known === undefined ? `reason ${hex}` : `${known} (${hex})`;
}
