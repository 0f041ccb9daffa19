import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DataError, unreadableCode } from '../../util/index.js';
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

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
