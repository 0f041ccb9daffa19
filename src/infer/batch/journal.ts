import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DataError, readableFileError, unsafeName, writeFileAtomic } from '../../util/index.js';
import type { CocoResult } from './coco-result.js';
import type { Verdict } from './verdicts.js';

/** Append-only file with one line for each finished image. */
export const journalFile = 'journal.jsonl';

/** The combined results of all images. */
const RESULTS = 'results.json';

/** Only written for calibrated models. */
const VERDICTS = 'verdicts.json';

/** Up to this many images, the results file is rewritten after each one. */
const ALWAYS = 500;

/**
 * Beyond that, folding may take at most one part in this many of the time, so that thousands of images do not cause thousands of
 * rewrites of a long file.
 */
const FOLD_SHARE = 10;

const entryFields = z.object({
  id: z.string(),
  /** Hash of the image file and of the settings. */
  key: z.string(),
  /** Hash of the settings alone. */
  settings: z.string(),
  /** Number of mask files written. */
  masks: z.int().nonnegative(),
  results: z.array(z.record(z.string(), z.unknown())),
  verdicts: z.array(z.record(z.string(), z.unknown())).optional(),
});

const entrySchema = entryFields.refine(({ masks, results }) => masks <= results.length, 'each mask belongs to a result');

/** Record of a finished image. */
export interface JournalEntry {
  readonly id: string;
  readonly key: string;
  readonly settings: string;
  readonly masks: number;
  readonly results: readonly CocoResult[];
  readonly verdicts?: readonly Verdict[] | undefined;
}

/**
 * Records which images of an output folder are finished, and their results. Each finished image appends a line to
 * `journal.jsonl`; `results.json` is built from all lines and replaced by rename: after each image while there are few, then as
 * often as it is cheap, and at the end. Both files are valid whenever the process is stopped; results that a long list lacks are
 * added from the journal at the next start.
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
   * Reads the existing journal, dropping a last line that was cut off by a stop.
   *
   * @throws DataError for an image id that leads out of the folder, which no batch writes.
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

  /** The images finished with the current settings. */
  get own(): JournalEntry[] {
    return [...this.entries.values()].filter(({ settings }) => settings === this.settings);
  }

  /** Adds images finished elsewhere; {@link start} writes them. */
  adopt(entries: Iterable<JournalEntry>): void {
    for (const entry of entries) this.entries.set(entry.id, entry);
    this.stale = true;
  }

  /** Number of images finished with other settings. */
  get foreign(): number {
    return [...this.entries.values()].filter(({ settings }) => settings !== this.settings).length;
  }

  /** Removes images from the journal. */
  forget(ids: Iterable<string>): void {
    for (const id of ids) this.entries.delete(id);
  }

  /** Drops the results of other settings and rewrites both files. */
  async start(): Promise<void> {
    for (const { id, settings } of [...this.entries.values()]) if (settings !== this.settings) this.entries.delete(id);
    const lines = [...this.entries.values()].map((entry) => `${JSON.stringify(entry)}\n`);
    await writeFileAtomic(join(this.out, journalFile), lines.join(''));
    await this.fold();
  }

  /** Records a finished image. */
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

  /** Updates `results.json`, and `verdicts.json` if there are verdicts. */
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

  /** Total number of segments in all images. */
  get found(): number {
    return [...this.entries.values()].reduce((sum, { results }) => sum + results.length, 0);
  }
}

/** A JSON list with one entry per line. */
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
