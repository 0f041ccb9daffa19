import { z } from 'zod';
import { unexpected } from './refusals.js';

/** Data sets in the DICOM JSON model (PS3.18, annex F), as far as they are read: elements by tag in capitals. */
const element = z.object({ vr: z.string().optional(), Value: z.array(z.unknown()).optional() });
const dataSet = z.record(z.string(), element);
export type JsonDataSet = z.infer<typeof dataSet>;

/**
 * Parses a list of data sets, or a single one.
 *
 * @throws DataError when the text is neither.
 */
export function parseDataSets(text: string, where: string): JsonDataSet[] {
  if (text.trim() === '') return [];
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw unexpected(where, `expected DICOM JSON, got ${shownStart(text)}`, cause);
  }
  const parsed = z.array(dataSet).safeParse(Array.isArray(json) ? json : [json]);
  if (parsed.success) return parsed.data;
  throw unexpected(where, 'expected DICOM JSON, got other JSON');
}

/** The first value of an element as text. */
export function textOf(set: JsonDataSet, tag: string): string | undefined {
  const [value] = set[tag]?.Value ?? [];
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;
}

/** The items of a sequence. */
export function itemsOf(set: JsonDataSet, tag: string): JsonDataSet[] {
  return (set[tag]?.Value ?? []).flatMap((item) => {
    const parsed = dataSet.safeParse(item);
    return parsed.success ? [parsed.data] : [];
  });
}

/** What kind of text it is, without its content: it may name a patient. */
function shownStart(text: string): string {
  return /^\s*<(!doctype|html)/i.test(text) ? 'a page' : /^\s*</.test(text) ? 'XML' : `${text.length} characters of other text`;
}
