import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DataError, readableFileError, unsafeName, writeFileAtomic } from '../../util/index.js';
import type { CocoImages, CocoResult, FoundInImage } from './coco-result.js';
import type { Verdict, VerdictOnImage } from './verdicts.js';

/** Grows by a line for each image that is done. */
export const journalFile = 'journal.jsonl';

/** What everybody reads: what was found, and the images that it was found in. */
const RESULTS = 'results.json';
const IMAGES = 'images.json';

/** Only where the models are calibrated. */
const VERDICTS = 'verdicts.json';

/** Up to so many images the list is short, and is made anew with each of them. */
const ALWAYS = 500;

/** With more, folding may take one part in so many of the time, so that thousands of images do not mean thousands of long files. */
const FOLD_SHARE = 10;

const entryFields = z.object({
  id: z.string(),
  fileName: z.string().optional(),
  width: z.int().optional(),
  height: z.int().optional(),
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
 * Which images of an output folder are done, and with what result. A line is appended to `journal.jsonl` when an image is done;
 * `results.json` and `images.json` are made of all lines, by rename: with each image while they are few, then as often as it costs little, and at
 * the end. Whenever the process is stopped the files are valid; what a long list lacks the next start adds from the journal.
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
   * Reads what is there. A line that was cut off by a stop is dropped.
   *
   * @throws DataError when it names an image that would lead out of the folder: no batch writes that.
   */
  static async open(out: string, settings: string): Promise<Journal> {
    const journal = new Journal(out, settings);
    const file = join(out, journalFile);
    const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return '';
      throw new DataError({ where: file, what: `it cannot be read (${cause.code})`, fix: 'Choose another folder', cause });
    });
    for (const [i, line] of text.split('\n').entries()) {
      const entry = parse(line);
      if (entry === undefined) continue;
      const what = unsafeName(entry.id);
      if (what !== undefined)
        throw new DataError({ where: `${file}, line ${i + 1}`, what, fix: 'The folder was not filled by infer: do not use it' });
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

  /**
   * Forgets what was found with other settings, and writes all files anew.
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

  /**
   * Brings `images.json`, `results.json`, and `verdicts.json` if there are any, up to date. COCO numbers images: here from 1 in
   * the order of their ids, so that the same images have the same numbers, in whatever order and in however many parts they came.
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

  /** How many things were found in all images. */
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
