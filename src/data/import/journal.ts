import { createHash } from 'node:crypto';
import { type FileHandle, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, FolderLock, unsafeName } from '../../util/index.js';
import type { NamedRecord, ProcessOptions, RecordResult } from './process-record.js';

const FOLDER = '.import';
const FILE = 'journal.jsonl';
const LOCK = 'lock';

/** Increase when results of a record change: earlier results are then discarded. */
const VERSION = 2;

/** The outputs of an import, besides its journal. */
const OUTPUTS = ['annotations', 'images', 'masks', 'report.json', 'splits.json'];

/**
 * The progress of an import: one line per record, appended once its files are in place. A truncated line is ignored, and a record
 * whose source has changed is processed again.
 */
export class Journal {
  private readonly to: string;
  private readonly file: FileHandle;
  private readonly done: ReadonlyMap<string, RecordResult>;
  private readonly lock: FolderLock;

  private constructor(to: string, file: FileHandle, done: ReadonlyMap<string, RecordResult>, lock: FolderLock) {
    this.to = to;
    this.file = file;
    this.done = done;
    this.lock = lock;
  }

  /**
   * Opens the journal of a folder, or starts one.
   *
   * @param kind - identifies the import; a different one does not resume it.
   * @throws DataError when the folder holds something else and may not be overwritten.
   */
  static async open(to: string, kind: string, overwrite: boolean): Promise<Journal> {
    const path = join(to, FOLDER, FILE);
    const text = await readFile(path, 'utf8').catch(() => undefined);
    const [head, ...lines] = text?.split('\n') ?? [];
    const before = parsed<{ kind: string }>(head ?? '')?.kind;
    if (before !== kind && !overwrite) await refuse(to, before);
    const lock = await FolderLock.take(join(to, FOLDER, LOCK), {
      where: to,
      doing: 'is importing into it',
      instead: 'choose another --to',
    });
    try {
      if (before === kind) return new Journal(to, await continued(path, text ?? ''), resultsOf(lines), lock);
      if (text !== undefined) for (const name of OUTPUTS) await rm(join(to, name), { recursive: true, force: true });
      const file = await open(path, 'w');
      await file.write(`${JSON.stringify({ kind })}\n`);
      return new Journal(to, file, new Map(), lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** The result of a record, if its files still exist. */
  async find(key: string): Promise<RecordResult | undefined> {
    const result = this.done.get(key);
    if (result === undefined || !result.ok) return undefined;
    // The folder is untrusted: results that point outside it are ignored.
    if (filesOf(result).some((name) => unsafeName(name) !== undefined)) return undefined;
    const files = [join('images', result.imageFile), ...result.objects.map(({ maskFile }) => join('masks', maskFile))];
    const there = await Promise.all(
      files.map((file) =>
        stat(join(this.to, file)).then(
          () => true,
          () => false,
        ),
      ),
    );
    return there.every(Boolean) ? result : undefined;
  }

  async add(key: string, result: RecordResult): Promise<void> {
    await this.file.write(`${JSON.stringify({ key, result })}\n`);
  }

  async close(): Promise<void> {
    await this.file.close();
    await this.lock.release();
  }

  /** Removes outdated results and files left by an interruption. */
  async sweep(used: ReadonlySet<string>): Promise<void> {
    const earlier = new Set([...this.done.values()].flatMap((result) => (result.ok ? filesOf(result) : [])));
    for (const folder of ['images', 'masks']) {
      for (const name of await readdir(join(this.to, folder)).catch(() => [])) {
        const leftover = /^\..*\.tmp$/.test(name) || (earlier.has(`${folder}/${name}`) && !used.has(`${folder}/${name}`));
        if (leftover) await rm(join(this.to, folder, name), { force: true });
      }
    }
  }
}

/** The files of a result, relative to the output folder. */
export function filesOf(result: Extract<RecordResult, { ok: true }>): string[] {
  const masks = [
    ...result.objects.map(({ maskFile }) => maskFile),
    ...(result.wholeMask === undefined ? [] : [result.wholeMask]),
  ];
  return [`images/${result.imageFile}`, ...masks.map((name) => `masks/${name}`)];
}

/** Key that changes with a record, its files or the way they are processed. */
export async function recordKey({ stem, imageStem, record }: NamedRecord, options: ProcessOptions): Promise<string> {
  const files = [record.image.file, ...record.masks.flatMap((mask) => ('file' in mask ? [mask.file] : []))];
  const states = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ size, mtimeMs }) => [size, mtimeMs],
        () => null,
      ),
    ),
  );
  return createHash('sha256')
    .update(JSON.stringify([VERSION, stem, imageStem ?? stem, record, options, states]))
    .digest('hex')
    .slice(0, 32);
}

function resultsOf(lines: readonly string[]): Map<string, RecordResult> {
  const done = new Map<string, RecordResult>();
  for (const line of lines) {
    const entry = parsed<{ key: string; result: RecordResult }>(line);
    if (entry?.result !== undefined) done.set(entry.key, entry.result);
  }
  return done;
}

async function refuse(to: string, before: string | undefined): Promise<void> {
  const names = await readdir(to).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    throw new DataError({
      code: 'E_FILE_KIND',
      where: to,
      what: 'it is a file, not a folder',
      fix: 'Choose another --to',
      cause,
    });
  });
  if (names.length === 0) return;
  throw new DataError({
    code: 'E_OUTPUT_EXISTS',
    where: to,
    what: before === undefined ? 'the folder is not empty' : `it holds another import (${before})`,
    fix: 'Choose another --to, or say --overwrite',
  });
}

async function continued(path: string, text: string): Promise<FileHandle> {
  const file = await open(path, 'a');
  // Terminates a truncated line before appending.
  if (!text.endsWith('\n')) await file.write('\n');
  return file;
}

function parsed<T>(line: string): T | undefined {
  try {
    return JSON.parse(line) as T;
  } catch {
    return undefined;
  }
}
