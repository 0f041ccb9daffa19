import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { DataError, unreadableCode } from '../../../util/index.js';
import type { Split } from '../../coco.js';
import type { Importer, Problem, SourceRecord } from '../types.js';

const names = z.array(z.string());

/** Files written before the splits had their name call them `parts`. */
const FORMER_NAME = 'parts';

const schema = z.preprocess(
  (file) => (isRecord(file) && !('splits' in file) ? { ...file, splits: file[FORMER_NAME] } : file),
  z.object({
    dataset: z.string(),
    variant: z.string().optional(),
    splits: z.strictObject({ train: names, val: names, test: names }),
  }),
);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A split of a dataset by image names as the import writes them, independent of extension and image size. */
export interface SplitFile {
  readonly dataset: string;
  readonly variant?: string | undefined;
  /** The seed of the split. */
  readonly seed?: number | undefined;
  readonly splits: Readonly<Record<Split, readonly string[]>>;
}

const SPLITS = ['train', 'val', 'test'] as const;

/** Serialises a split file, one split per line. */
export function splitText({ splits, ...head }: SplitFile): string {
  const lines = SPLITS.map((split) => `    "${split}": ${JSON.stringify(splits[split])}`);
  const heads = Object.entries(head).flatMap(([key, value]) =>
    value === undefined ? [] : [`  "${key}": ${JSON.stringify(value)},`],
  );
  return `{\n${heads.join('\n')}\n  "splits": {\n${lines.join(',\n')}\n  }\n}\n`;
}

/**
 * Reads a split file: the split of each image by name.
 *
 * @throws DataError naming the file if it cannot be read, belongs to another dataset, or lists an image in two splits.
 */
export async function readSplitFile(file: string, { name, title, unseen }: Importer): Promise<ReadonlyMap<string, Split>> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new DataError({
      code: unreadableCode(cause),
      where: file,
      what: `it cannot be read (${cause.code})`,
      fix: 'Check the path of --splits',
      cause,
    });
  });
  const parsed = schema.safeParse(json(text));
  if (!parsed.success)
    throw new DataError({
      code: 'E_SPLITS_INVALID',
      where: file,
      what: 'it is no division of a dataset',
      fix: 'Expected is {"dataset": NAME, "splits": {"train": [names], "val": [names], "test": [names]}}, as an import writes it to splits.json',
    });
  const { dataset, splits } = parsed.data;
  if (dataset !== name)
    throw new DataError({
      code: 'E_SPLITS_INVALID',
      where: file,
      what: `it divides ${dataset}, not ${name}`,
      fix: `Use it with --dataset ${dataset}`,
    });
  const splitOf = new Map<string, Split>();
  for (const split of SPLITS)
    for (const image of splits[split]) {
      const other = splitOf.get(image);
      if (other !== undefined)
        throw new DataError({
          code: 'E_SPLITS_INVALID',
          where: file,
          what: `${image} is in ${other} and in ${split}`,
          fix: 'Leave it in one split',
        });
      splitOf.set(image, split);
    }
  if (unseen === true && [...splitOf.values()].some((split) => split !== 'test'))
    throw new DataError({
      code: 'E_SPLITS_INVALID',
      where: file,
      what: `it trains or validates on ${title}, which is held back from training`,
      fix: 'Put all of its images into test',
    });
  return splitOf;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}

/** Records with the splits of a split file. */
export interface Divided {
  readonly records: readonly SourceRecord[];
  /** Images that the split file does not list; they are left out. */
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

/** Assigns records their splits. */
export function withSplits(
  records: readonly SourceRecord[],
  splitOf: ReadonlyMap<string, Split>,
  file: string,
  from: (record: SourceRecord) => string,
): Divided {
  const there = new Set(records.map(({ name }) => name));
  const missing = [...splitOf.keys()].filter((name) => !there.has(name));
  const given = (record: SourceRecord): SourceRecord[] => {
    const split = splitOf.get(record.name);
    return split === undefined ? [] : [{ ...record, split }];
  };
  const note = `${missing.length} of the ${splitOf.size} images in ${file} are not here, ${missing[0]} first`;
  return {
    records: records.flatMap(given),
    problems: records
      .filter(({ name }) => !splitOf.has(name))
      .map((record) => ({ file: from(record), what: `${file} does not give it a split` })),
    notes: missing.length === 0 ? [] : [note],
  };
}
