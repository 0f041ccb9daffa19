import type { DataSet, Element } from 'dicom-parser';
import { type DicomElement, type DicomElements, decimalString } from '../dicom/index.js';
import type { KeptRule, KeptRules } from './kept.js';

type NumberRule = Exclude<KeptRule, { readonly vr: 'CS' | 'SQ' }>;

/** Bytes of a binary number. */
const SIZES = { US: 2, UL: 4, SL: 4, FL: 4, FD: 8 } as const;

/** More values, or items of a sequence, are not written: no attribute of the list has so many. */
const MAX_VALUES = 100_000;

/** Reads the attributes of a list. What does not fit its rule is left out. */
export function readKept(set: DataSet, rules: KeptRules): DicomElements {
  const kept: Record<string, DicomElement> = {};
  for (const [tag, rule] of Object.entries(rules)) {
    const element = set.elements[parserTag(tag)];
    if (element === undefined) continue;
    const found = elementOf(set, element, rule);
    if (found !== undefined) kept[tag] = found;
  }
  return kept;
}

/** The parser's form of a tag. */
export function parserTag(tag: string): string {
  return `x${tag.toLowerCase()}`;
}

function elementOf(set: DataSet, element: Element, rule: KeptRule): DicomElement | undefined {
  if (rule.vr === 'SQ') {
    const items = (element.items ?? []).slice(0, MAX_VALUES).flatMap(({ dataSet }) => {
      const read = dataSet === undefined ? {} : readKept(dataSet, rule.items);
      return Object.keys(read).length === 0 ? [] : [read];
    });
    return items.length === 0 ? undefined : { vr: 'SQ', Value: items };
  }
  if (rule.vr === 'CS') {
    const text = set.string(element.tag)?.trim().toUpperCase() ?? '';
    return rule.terms.includes(text) ? { vr: 'CS', Value: [text] } : undefined;
  }
  const values = numbersOf(set, element, rule);
  if (values === undefined || values.length === 0 || values.length > MAX_VALUES) return undefined;
  return { vr: rule.vr, Value: rule.vr === 'DS' ? values.map(decimalString) : rule.vr === 'IS' ? values.map(String) : values };
}

/** All values, or undefined if one of them is no number. */
function numbersOf(set: DataSet, { tag, length }: Element, { vr }: NumberRule): readonly number[] | undefined {
  if (vr === 'DS' || vr === 'IS') {
    const texts = (set.string(tag) ?? '').split('\\').map((text) => text.trim());
    const form = vr === 'IS' ? /^[+-]?\d{1,11}$/ : /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
    return texts.every((text) => form.test(text) && Number.isFinite(Number(text))) ? texts.map(Number) : undefined;
  }
  const read = {
    US: (i: number) => set.uint16(tag, i),
    UL: (i: number) => set.uint32(tag, i),
    SL: (i: number) => set.int32(tag, i),
    FL: (i: number) => set.float(tag, i),
    FD: (i: number) => set.double(tag, i),
  }[vr];
  const values = Array.from({ length: Math.min(MAX_VALUES + 1, Math.floor(length / SIZES[vr])) }, (_, i) => read(i));
  return values.every((value): value is number => value !== undefined && Number.isFinite(value)) ? values : undefined;
}
