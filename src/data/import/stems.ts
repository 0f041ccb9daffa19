import { distinct, paperName } from './file-name.js';
import type { NamedRecord } from './process-record.js';
import type { PaperRows, SourceRecord } from './types.js';

/** Gives each record unique file names. */
export function withStems(records: readonly SourceRecord[], nameOf: (record: SourceRecord) => string): NamedRecord[] {
  const stems = distinct(records.map(nameOf));
  return records.map((record, i): NamedRecord => ({ stem: stems[i] as string, record }));
}

/** The published code uses one file for rows of the same image and name, however often the table lists them. */
export function paperStems(records: readonly SourceRecord[], { key }: PaperRows): NamedRecord[] {
  const nameOf = ({ name }: SourceRecord) => `${key}_${paperName(name)}`;
  const first = new Map<string, string>();
  return withStems(records, nameOf).map(({ stem, record }) => {
    const same = `${nameOf(record)}\0${record.image.file}#${record.image.slice ?? record.image.page ?? ''}`;
    if (!first.has(same)) first.set(same, stem);
    return { stem, imageStem: first.get(same) as string, record };
  });
}
