import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DataError, readableFileError, unsafeName, writeFileAtomic } from '../../util/index.js';
import type { CocoResult } from './coco-result.js';
import type { Verdict } from './verdicts.js';

/** Grows by a line for each image that is done. */
export const journalFile = 'journal.jsonl';

/** What everybody reads. */
const RESULTS = 'results.json';

/** Only where the models are calibrated. */
const VERDICTS = 'verdicts.json';

/** Up to so many images the list is short, and is made anew with each of them. */
const ALWAYS = 500;

/** With more, folding may take one part in so many of the time, so that thousands of images do not mean thousands of long files. */
const FOLD_SHARE = 10;

const entryFields = z.object({
  id: z.string(),
  /** Stands for the image file as it was, and for the settings. */
  key: z.string(),
  /** Stands for the settings alone. */
  settings: z.string(),
  /** How many mask files were written. */
  masks: z.int().nonnegative(),
  results: z.array(z.record(z.string(), z.unknown())),
  verdicts: z.array(z.record(z.string(), z.unknown())).optional(),
});

const entrySchema = entryFields.refine(({ masks, results }) => masks <= results.length, 'each mask belongs to a result');

/** What is known of an image that is done. */
export interface JournalEntry {
  readonly id: string;
  readonly key: string;
  readonly settings: string;
  readonly masks: number;
  readonly results: readonly CocoResult[];
  readonly verdicts?: readonly Verdict[] | undefined;
}

/**
 * Which images of an output folder are done, and with what result. A line is appended to `journal.jsonl` when an image is done;
 * `results.json` is made of all lines, by rename: with each image while they are few, then as often as it costs little, and at
 * the end. Whenever the process is stopped both files are valid; what a long list lacks the next start adds from the journal.
 */
export class Journal {
  private readonly out: string;
  private readonly settings: string;
  private readonly entries = new Map<string, JournalEntry>();
  private foldMs = 0;
  private foldedAt = Number.NEGATIVE_INFINITY;
  private stale = true;

  private constructor(out: string, settings: string) {
    this.out = out;
    this.settings = settings;
  }

  /**
   * Reads what is there. A line that was cut off by a stop is dropped.
   *
   * @throws DataError when it names an image that would lead out of the folder: no batch writes that.
   */
  static async open(out: string, settings: string): Promise<Journal> {
    const journal = new Journal(out, settings);
    const file = join(out, journalFile);
    const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return '';
      throw new DataError({
        code: 'E_FILE_UNREADABLE',
        where: file,
        what: `it cannot be read (${cause.code})`,
        fix: 'Choose another folder',
        cause,
      });
    });
    for (const [i, line] of text.split('\n').entries()) {
      const entry = parse(line);
      if (entry === undefined) continue;
      const what = unsafeName(entry.id);
      if (what !== undefined)
        throw new DataError({
          code: 'E_PATH_OUTSIDE',
          where: `${file}, line ${i + 1}`,
          what,
          fix: 'The folder was not filled by infer: do not use it',
        });
      journal.entries.set(entry.id, entry);
    }
    return journal;
  }

  entry(id: string): JournalEntry | undefined {
    return this.entries.get(id);
  }

  /** The images that were done with these settings. */
  get own(): JournalEntry[] {
    return [...this.entries.values()].filter(({ settings }) => settings === this.settings);
  }

  /** Adds images that are done elsewhere; {@link start} writes them down. */
  adopt(entries: Iterable<JournalEntry>): void {
    for (const entry of entries) this.entries.set(entry.id, entry);
    this.stale = true;
  }

  /** How many images are there with other settings. */
  get foreign(): number {
    return [...this.entries.values()].filter(({ settings }) => settings !== this.settings).length;
  }

  /** Forgets images. */
  forget(ids: Iterable<string>): void {
    for (const id of ids) this.entries.delete(id);
  }

  /** Forgets what was found with other settings, and writes both files anew. */
  async start(): Promise<void> {
    for (const { id, settings } of [...this.entries.values()]) if (settings !== this.settings) this.entries.delete(id);
    const lines = [...this.entries.values()].map((entry) => `${JSON.stringify(entry)}\n`);
    await writeFileAtomic(join(this.out, journalFile), lines.join(''));
    await this.fold();
  }

  /** Notes that an image is done. */
  async record(entry: JournalEntry): Promise<void> {
    const file = join(this.out, journalFile);
    await appendFile(file, `${JSON.stringify(entry)}\n`).catch((cause: unknown) => {
      throw readableFileError(file, cause);
    });
    this.entries.set(entry.id, entry);
    this.stale = true;
    const due = this.entries.size <= ALWAYS || performance.now() - this.foldedAt >= FOLD_SHARE * this.foldMs;
    if (due) await this.fold();
  }

  /** Brings `results.json`, and `verdicts.json` if there are any, up to date. */
  async fold(): Promise<void> {
    if (!this.stale) return;
    const begin = performance.now();
    const order = new Intl.Collator('en', { numeric: true });
    const sorted = [...this.entries.values()].sort((a, b) => order.compare(a.id, b.id));
    await writeFileAtomic(join(this.out, RESULTS), listOf(sorted.flatMap(({ results }) => results)));
    if (sorted.some(({ verdicts }) => verdicts !== undefined))
      await writeFileAtomic(join(this.out, VERDICTS), listOf(sorted.flatMap(({ verdicts = [] }) => verdicts)));
    this.stale = false;
    this.foldedAt = performance.now();
    this.foldMs = this.foldedAt - begin;
  }

  /** How many things were found in all images. */
  get found(): number {
    return [...this.entries.values()].reduce((sum, { results }) => sum + results.length, 0);
  }
}

/** A JSON list with one entry a line. */
function listOf(items: readonly unknown[]): string {
  const lines = items.map((item) => JSON.stringify(item));
  return lines.length === 0 ? '[]\n' : `[\n${lines.join(',\n')}\n]\n`;
}

function parse(line: string): JournalEntry | undefined {
  try {
    return entrySchema.parse(JSON.parse(line)) as unknown as JournalEntry;
  } catch {
    return undefined;
  }
}
