import { createReadStream } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DataError, linesOf, readableFileError, unsafeName, writeFileAtomic } from '../../util/index.js';
import { writeCocoFiles } from './coco-files.js';
import type { JournalEntry } from './journal-entry.js';
import { writeParquetTables } from './parquet-tables.js';
import type { ResultsForm } from './results-form.js';

/** Append-only file with one line for each finished image. */
export const journalFile = 'journal.jsonl';

/** Up to this many images, the results file is rewritten after each one. */
const ALWAYS = 500;

/**
 * Beyond that, folding may take at most one part in this many of the time, so that thousands of images do not cause thousands of
 * rewrites of a long file.
 */
const FOLD_SHARE = 10;

/** Lines that are written at once. */
const LINES = 1000;

const entryFields = z.object({
  id: z.string(),
  fileName: z.string().optional(),
  of: z.object({ id: z.string(), count: z.int().positive() }).optional(),
  width: z.int().optional(),
  height: z.int().optional(),
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

/**
 * Records which images of an output folder are finished, and their results. Each finished image appends a line to
 * `journal.jsonl`; `results.json` and `images.json` are built from all lines and replaced by rename: after each image while there
 * are few, then as often as it is cheap, and at the end. Tables of Parquet are only written at the start and at the end. All files
 * are valid whenever the process is stopped; results that they lack are added from the journal at the next start.
 */
export class Journal {
  private readonly out: string;
  private readonly settings: string;
  private readonly results: ResultsForm;
  private readonly entries = new Map<string, JournalEntry>();
  /** Of files with several images, by the id of the file. */
  private readonly parts = new Map<string, Set<string>>();
  private phrases: readonly string[] = [];
  private foldMs = 0;
  private foldedAt = Number.NEGATIVE_INFINITY;
  private stale = true;

  private constructor(out: string, settings: string, results: ResultsForm) {
    this.out = out;
    this.settings = settings;
    this.results = results;
  }

  /**
   * Reads the existing journal, dropping a last line that was cut off by a stop.
   *
   * @throws DataError for an image id that leads out of the folder, which no batch writes.
   */
  static async open(out: string, settings: string, results: ResultsForm = 'files'): Promise<Journal> {
    const journal = new Journal(out, settings, results);
    for await (const entry of readJournal(out)) journal.set(entry);
    return journal;
  }

  entry(id: string): JournalEntry | undefined {
    return this.entries.get(id);
  }

  /** The finished images of a file that holds several. */
  partsOf(id: string): JournalEntry[] {
    return [...(this.parts.get(id) ?? [])].flatMap((part) => this.entries.get(part) ?? []);
  }

  private set(entry: JournalEntry): void {
    this.entries.set(entry.id, entry);
    if (entry.of === undefined) return;
    const parts = this.parts.get(entry.of.id) ?? new Set();
    this.parts.set(entry.of.id, parts.add(entry.id));
  }

  private delete(id: string): void {
    const { of } = this.entries.get(id) ?? {};
    this.entries.delete(id);
    if (of !== undefined) this.parts.get(of.id)?.delete(id);
  }

  /** The images finished with the current settings. */
  get own(): JournalEntry[] {
    return [...this.entries.values()].filter(({ settings }) => settings === this.settings);
  }

  /** Adds images finished elsewhere; {@link start} writes them. */
  adopt(entries: Iterable<JournalEntry>): void {
    for (const entry of entries) this.set(entry);
    this.stale = true;
  }

  /** Number of images finished with other settings. */
  get foreign(): number {
    return [...this.entries.values()].filter(({ settings }) => settings !== this.settings).length;
  }

  /** Removes images from the journal. */
  forget(ids: Iterable<string>): void {
    for (const id of ids) this.delete(id);
  }

  /**
   * Drops the results of other settings and rewrites all files.
   *
   * @param phrases - what is looked for, in the order of their `category_id`.
   */
  async start(phrases: readonly string[]): Promise<void> {
    this.phrases = phrases;
    for (const { id, settings } of [...this.entries.values()]) if (settings !== this.settings) this.delete(id);
    const entries = [...this.entries.values()];
    await writeFileAtomic(join(this.out, journalFile), async (file) => {
      for (let i = 0; i < entries.length; i += LINES) {
        const lines = entries.slice(i, i + LINES).map((entry) => `${JSON.stringify(entry)}\n`);
        await file.writeFile(lines.join(''));
      }
    });
    await this.fold();
  }

  /** Records a finished image. */
  async record(entry: JournalEntry): Promise<void> {
    const file = join(this.out, journalFile);
    await appendFile(file, `${JSON.stringify(entry)}\n`).catch((cause: unknown) => {
      throw readableFileError(file, cause);
    });
    this.set(entry);
    this.stale = true;
    if (this.results === 'parquet') return;
    const due = this.entries.size <= ALWAYS || performance.now() - this.foldedAt >= FOLD_SHARE * this.foldMs;
    if (due) await this.fold();
  }

  /** Updates the results of all images, in the order of their ids, whatever the order and the shards in which they came. */
  async fold(): Promise<void> {
    if (!this.stale) return;
    const begin = performance.now();
    const sorted = inOrder(this.entries.values());
    if (this.results === 'parquet') await writeParquetTables(this.out, sorted);
    else await writeCocoFiles(this.out, sorted, this.phrases);
    this.stale = false;
    this.foldedAt = performance.now();
    this.foldMs = this.foldedAt - begin;
  }

  /** Total number of segments in all images. */
  get found(): number {
    return [...this.entries.values()].reduce((sum, { results }) => sum + results.length, 0);
  }
}

/** Sorts by id, with numbers by their value. */
export function inOrder(entries: Iterable<JournalEntry>): JournalEntry[] {
  const order = new Intl.Collator('en', { numeric: true });
  return [...entries].sort((a, b) => order.compare(a.id, b.id));
}

/**
 * Reads the lines of a folder's journal, if there is one, without a last line that was cut off by a stop.
 *
 * @throws DataError for an image id that leads out of the folder, which no batch writes.
 */
export async function* readJournal(out: string): AsyncGenerator<JournalEntry> {
  const file = join(out, journalFile);
  let number = 0;
  try {
    for await (const line of linesOf(createReadStream(file))) {
      number += 1;
      const entry = parse(line);
      if (entry === undefined) continue;
      const what = unsafeName(entry.id);
      if (what !== undefined)
        throw new DataError({
          code: 'E_PATH_OUTSIDE',
          where: `${file}, line ${number}`,
          what,
          fix: 'The folder was not filled by infer: do not use it',
        });
      yield entry;
    }
  } catch (cause) {
    const { syscall, code } = cause as NodeJS.ErrnoException;
    if (syscall === undefined) throw cause;
    if (code === 'ENOENT') return;
    throw new DataError({
      code: 'E_FILE_UNREADABLE',
      where: file,
      what: `it cannot be read (${code})`,
      fix: 'Choose another folder',
      cause,
    });
  }
}

function parse(line: string): JournalEntry | undefined {
  try {
    return entrySchema.parse(JSON.parse(line)) as unknown as JournalEntry;
  } catch {
    return undefined;
  }
}
