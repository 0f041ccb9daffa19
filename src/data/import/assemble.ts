import { relative, sep } from 'node:path';
import type { Split } from '../coco.js';
import type { CocoEntry } from './coco-writer.js';
import type { ObjectEntry, RecordResult } from './process-record.js';
import { splitGroups, splitRows, TRAIN_AND_VAL } from './splits/index.js';
import type { Importer, SourceRecord } from './types.js';

/** A record and its result. */
export interface Done {
  readonly record: SourceRecord;
  readonly result: Extract<RecordResult, { ok: true }>;
}

/** Options for naming and splitting entries. */
export interface AssembleOptions {
  readonly importer: Importer;
  readonly seed: number;
  /** Keeps the records' own splits: the publisher's, or those of a given split file. */
  readonly keepSplits: boolean;
  readonly phraseOf: (name: string) => string;
  /** All classes: the phrases of a negative. */
  readonly classes: readonly string[];
  /** The imported folder. */
  readonly from: string;
}

/** The entries of each split. */
export type Splits = Readonly<Record<Split, readonly CocoEntry[]>>;

/** A copy of an image, as the published code makes it. */
export interface Copy {
  readonly from: string;
  readonly to: string;
}

/** Whole images, split by groups. */
export interface StrictSplits {
  readonly splits: Splits;
  /** The split of each record. */
  readonly splitOf: readonly Split[];
}

/**
 * Assembles whole images, keeping groups together, including groups joined by copies.
 *
 * @param joined - the joined group of each record.
 */
export function assembleStrict(done: readonly Done[], joined: readonly string[], options: AssembleOptions): StrictSplits {
  const splits: Record<Split, CocoEntry[]> = { train: [], val: [], test: [] };
  const splitOf = divide(done, joined, options);
  // Given splits may divide a joined group; its own name is kept so that the overlap is reported.
  const given = options.keepSplits && done.some(({ record }) => record.split !== undefined);
  for (const [i, { record, result }] of done.entries()) {
    const group = given ? record.group : (joined[i] as string);
    const entry = entryOf({ record: { ...record, group }, result }, result.imageFile, result.objects, options);
    splits[splitOf[i] as Split].push(entry);
  }
  return { splits, splitOf };
}

function divide(done: readonly Done[], joined: readonly string[], { importer, seed, keepSplits }: AssembleOptions): Split[] {
  if (importer.unseen === true) return done.map(() => 'test');
  const records = done.map(({ record: { split } }, i) => ({ split, group: joined[i] as string }));
  if (!keepSplits) return splitGroups(records, seed);
  const given = records.map(({ split }) => split);
  if (given.every((split) => split !== undefined)) return given as Split[];
  // If the publisher held out a test split, the rest is divided into train and val.
  const rest = splitGroups(
    records.filter(({ split }) => split === undefined),
    seed,
    given.includes('test') ? TRAIN_AND_VAL : undefined,
  );
  return given.map((split) => split ?? (rest.shift() as Split));
}

function entryOf(
  { record, result }: Done,
  fileName: string,
  objects: readonly ObjectEntry[],
  options: AssembleOptions,
): CocoEntry {
  const { phraseOf, classes, from } = options;
  const named = objects.map(({ class: name, ...object }) => ({ ...object, phrase: phraseOf(name) }));
  const present = named.map(({ phrase }) => phrase);
  const asked = record.asked?.map(phraseOf) ?? (present.length > 0 ? [] : classes.map(phraseOf));
  return {
    fileName,
    width: result.width,
    height: result.height,
    group: record.group,
    source: sourceOf(record, from),
    ...(result.spacingMm === undefined ? {} : { spacingMm: result.spacingMm }),
    phrases: [...new Set([...present, ...asked])],
    objects: named,
  };
}

/** The origin of an image, with `/` on every system. */
export function sourceOf({ image: { file, slice, frame, page } }: SourceRecord, from: string): string {
  const place = frame === undefined ? (slice ?? page) : `${slice}t${frame}`;
  return `${relative(from, file).split(sep).join('/')}${place === undefined ? '' : `#${place}`}`;
}

/** Rows split as in the published code: an image may be in several splits, with only some of its objects in each. */
export function assemblePaper(
  done: readonly Done[],
  options: AssembleOptions,
): { readonly splits: Splits; readonly copies: Copy[] } {
  const { importer, seed } = options;
  const copies = new Map<string, Copy>();
  const rows = done.flatMap((item) =>
    item.result.objects.map((object, k) => {
      const { imageFile } = item.result;
      // The published code's copies insert the contour's number after the dataset's name.
      const fileName = importer.paper?.copies === true && k > 0 ? imageFile.replace('_', `${k}_`) : imageFile;
      if (fileName !== imageFile) copies.set(fileName, { from: imageFile, to: fileName });
      // Where colours are classes, the object determines the list.
      return { item, object, fileName, list: item.record.list ?? object.class };
    }),
  );
  const divided =
    importer.unseen === true ? { train: [], val: [], test: rows } : splitRows(rows, importer.paper?.lists ?? [], seed);
  const entries = (split: Split): CocoEntry[] => {
    const byFile = new Map<string, { item: Done; objects: ObjectEntry[] }>();
    for (const { item, object, fileName } of divided[split]) {
      const entry = byFile.get(fileName);
      if (entry === undefined) byFile.set(fileName, { item, objects: [object] });
      else entry.objects.push(object);
    }
    return [...byFile].map(([fileName, { item, objects }]) => ({
      ...entryOf(item, fileName, objects, options),
      ...(split === 'test' ? { wholeMask: item.result.wholeMask } : {}),
    }));
  };
  return { splits: { train: entries('train'), val: entries('val'), test: entries('test') }, copies: [...copies.values()] };
}
