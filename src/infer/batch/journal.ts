import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DataError, readableFileError, unsafeName, writeFileAtomic } from '../../util/index.js';
import type { CocoImages, CocoResult, FoundInImage } from './coco-result.js';
import type { Verdict, VerdictOnImage } from './verdicts.js';

/** Append-only file with one line for each finished image. */
export const journalFile = 'journal.jsonl';

/** The combined results of all images, and the images. */
const RESULTS = 'results.json';
const IMAGES = 'images.json';

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
  fileName: z.string().optional(),
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

/** Record of a finished image. */
export interface JournalEntry {
  readonly id: string;
  readonly fileName?: string | undefined;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly key: string;
  readonly settings: string;
  readonly masks: number;
  readonly results: readonly FoundInImage[];
  readonly verdicts?: readonly VerdictOnImage[] | undefined;
}

/**
 * Records which images of an output folder are finished, and their results. Each finished image appends a line to
 * `journal.jsonl`; `results.json` and `images.json` are built from all lines and replaced by rename: after each image while there
 * are few, then as often as it is cheap, and at the end. All files are valid whenever the process is stopped; results that a long
 * list lacks are added from the journal at the next start.
 */
export class Journal {
  private readonly out: string;
  private readonly settings: string;
  private readonly entries = new Map<string, JournalEntry>();
  private phrases: readonly string[] = [];
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

  /**
   * Drops the results of other settings and rewrites all files.
   *
   * @param phrases - what is looked for, in the order of their `category_id`.
   */
  async start(phrases: readonly string[]): Promise<void> {
    this.phrases = phrases;
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

  /**
   * Updates `images.json`, `results.json`, and `verdicts.json` if there are verdicts. Images are numbered from 1 in the order of
   * their ids, so the same images get the same numbers, whatever their order and however many shards they came in.
   */
  async fold(): Promise<void> {
    if (!this.stale) return;
    const begin = performance.now();
    const order = new Intl.Collator('en', { numeric: true });
    const sorted = [...this.entries.values()].sort((a, b) => order.compare(a.id, b.id));
    const results: CocoResult[] = sorted.flatMap((entry, i) => entry.results.map((found) => numbered(found, i + 1)));
    const verdicts: Verdict[] = sorted.flatMap(({ verdicts: own = [] }, i) => own.map((verdict) => numbered(verdict, i + 1)));
    await writeFileAtomic(join(this.out, IMAGES), `${JSON.stringify(imagesOf(sorted, this.phrases), null, 1)}\n`);
    await writeFileAtomic(join(this.out, RESULTS), listOf(results));
    if (sorted.some((entry) => entry.verdicts !== undefined)) await writeFileAtomic(join(this.out, VERDICTS), listOf(verdicts));
    this.stale = false;
    this.foldedAt = performance.now();
    this.foldMs = this.foldedAt - begin;
  }

  /** Total number of segments in all images. */
  get found(): number {
    return [...this.entries.values()].reduce((sum, { results }) => sum + results.length, 0);
  }
}

/** Says first which image something is of. */
function numbered<T extends object>(item: T, imageId: number): T & { readonly image_id: number } {
  // Lines that an earlier version wrote have a name there.
  return Object.assign({ image_id: imageId }, item, { image_id: imageId });
}

function imagesOf(entries: readonly JournalEntry[], phrases: readonly string[]): CocoImages {
  return {
    info: { description: `The images that ${RESULTS} refers to` },
    images: entries.map(({ id, fileName, results, width, height }, i) => {
      return { id: i + 1, file_name: fileName ?? results[0]?.file_name ?? id, name: id, width, height };
    }),
    categories: phrases.map((name, i) => ({ id: i + 1, name })),
    annotations: [],
  };
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
