import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DataError, UsageError, unreadableCode } from '../../util/index.js';
import { type ResultsForm, resultsForms } from './results-form.js';
import type { BatchSettings, ExemplarSettings } from './settings.js';
import type { Shard } from './shard.js';

/** Metadata of an output folder. */
export type BatchFolder = (BatchSettings | ExemplarSettings) & BatchRun;

interface BatchRun {
  /** Hash of settings and models. */
  readonly key: string;
  /** Number of input images. */
  readonly images: number;
  readonly shard?: Shard;
  /** Where given sizes of pixels come from. */
  readonly pixelSizes?: string;
  /** Hash of the list that the shard is a part of. */
  readonly list?: string | undefined;
  /** Default: `files`. */
  readonly results?: ResultsForm;
}

export const batchFolderFile = 'settings.json';

const schema = z.looseObject({
  prompts: z.array(z.string()),
  key: z.string(),
  images: z.int().nonnegative(),
  shard: z.object({ index: z.int().nonnegative(), count: z.int().positive() }).optional(),
  list: z.string().optional(),
  results: z.enum(resultsForms).optional(),
});

/** @throws DataError when the folder was not written by `infer`. */
export async function readBatchFolder(dir: string): Promise<BatchFolder> {
  const file = join(dir, batchFolderFile);
  const fix = 'Name folders that infer has filled';
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const what = cause.code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${cause.code})`;
    throw new DataError({ code: unreadableCode(cause), where: file, what, fix, cause });
  });
  const parsed = schema.safeParse(parse(text));
  if (parsed.success) return parsed.data as unknown as BatchFolder;
  throw new DataError({ code: 'E_RESULTS_DAMAGED', where: file, what: 'it is not what infer writes', fix });
}

/** What the results of a folder are of: `infer` writes files of the same names for both. */
export type ResultsKind = 'images' | 'clips';

const kindSchema = z.looseObject({ prompts: z.array(z.string()), tracking: z.string().optional() });

/**
 * Refuses a folder with results of the other kind, which would be overwritten.
 *
 * @throws UsageError for results of clips where images are wanted, and the other way round.
 */
export async function requireKind(out: string, wanted: ResultsKind): Promise<void> {
  const text = await readFile(join(out, batchFolderFile), 'utf8').catch(() => '');
  const parsed = kindSchema.safeParse(parse(text));
  if (!parsed.success) return;
  const there: ResultsKind = parsed.data.tracking === undefined ? 'images' : 'clips';
  if (there === wanted) return;
  throw new UsageError({
    code: 'E_OUTPUT_EXISTS',
    where: out,
    what: `it holds results of ${there}, not of ${wanted}`,
    fix: 'Choose another folder',
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
