import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../util/index.js';
import type { NamedRecord, ProcessOptions, RecordResult } from './process-record.js';

const FOLDER = '.import';
const FILE = 'journal.jsonl';
const LOCK = 'lock';

/** What an import writes, besides its journal. */
const OUTPUTS = ['annotations', 'images', 'masks', 'report.json'];

/**
 * What is done of an import: a line for each record, appended when its files are in place. A line that a stop cut short is
 * not read, and a record whose source has changed since is done again.
 */
export class Journal {
  private readonly to: string;
  private readonly file: FileHandle;
  private readonly done: ReadonlyMap<string, RecordResult>;

  private constructor(to: string, file: FileHandle, done: ReadonlyMap<string, RecordResult>) {
    this.to = to;
    this.file = file;
    this.done = done;
  }

  /**
   * Opens the journal of a folder, or begins one.
   *
   * @param kind - which import it is; another one does not go on in its place.
   * @throws DataError when the folder holds something else and may not be overwritten.
   */
  static async open(to: string, kind: string, overwrite: boolean): Promise<Journal> {
    const path = join(to, FOLDER, FILE);
    const text = await readFile(path, 'utf8').catch(() => undefined);
    const [head, ...lines] = text?.split('\n') ?? [];
    const before = parsed<{ kind: string }>(head ?? '')?.kind;
    if (before === kind) {
      await lock(to);
      const done = new Map<string, RecordResult>();
      for (const line of lines) {
        const entry = parsed<{ key: string; result: RecordResult }>(line);
        if (entry?.result !== undefined) done.set(entry.key, entry.result);
      }
      return new Journal(to, await continued(path, text ?? ''), done);
    }
    if (!overwrite) await refuse(to, before);
    if (text !== undefined) await lock(to);
    if (text !== undefined) for (const name of [...OUTPUTS, FOLDER]) await rm(join(to, name), { recursive: true, force: true });
    await mkdir(join(to, FOLDER), { recursive: true });
    await lock(to);
    const file = await open(path, 'w');
    await file.write(`${JSON.stringify({ kind })}\n`);
    return new Journal(to, file, new Map());
  }

  /** What is known of a record, if its files are still there. */
  async find(key: string): Promise<RecordResult | undefined> {
    const result = this.done.get(key);
    if (result === undefined || !result.ok) return undefined;
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
    await rm(join(this.to, FOLDER, LOCK), { force: true });
  }

  /** Removes files of earlier, other results and what a stop left behind. */
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

/** The files of a result, below the folder that is written to. */
export function filesOf(result: Extract<RecordResult, { ok: true }>): string[] {
  const masks = [
    ...result.objects.map(({ maskFile }) => maskFile),
    ...(result.wholeMask === undefined ? [] : [result.wholeMask]),
  ];
  return [`images/${result.imageFile}`, ...masks.map((name) => `masks/${name}`)];
}

/** Goes up when files are read otherwise than before: what an earlier version made of them is made anew. */
const READING = 2;

/** Tells whether a record, its files and what is done with it are the same as before. */
export async function recordKey({ stem, record }: NamedRecord, options: ProcessOptions): Promise<string> {
  const files = [record.image.file, ...record.masks.flatMap((mask) => (mask.kind === 'file' ? [mask.file] : []))];
  const states = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ size, mtimeMs }) => [size, mtimeMs],
        () => null,
      ),
    ),
  );
  return createHash('sha256')
    .update(JSON.stringify([READING, stem, record, options, states]))
    .digest('hex')
    .slice(0, 32);
}

/** One process writes at a time; a lock whose process has ended, or that is our own, is taken over. */
async function lock(to: string): Promise<void> {
  const path = join(to, FOLDER, LOCK);
  const text = await readFile(path, 'utf8').catch(() => undefined);
  const owner = Number(text);
  if (text !== undefined && owner !== process.pid && isRunning(owner))
    throw new DataError({
      where: to,
      what: `process ${owner} is importing into it`,
      fix: 'Wait for it to end, or choose another --to',
    });
  await writeFile(path, String(process.pid));
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function refuse(to: string, before: string | undefined): Promise<void> {
  const names = await readdir(to).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    throw new DataError({ where: to, what: 'it is a file, not a folder', fix: 'Choose another --to', cause });
  });
  if (names.length === 0) return;
  throw new DataError({
    where: to,
    what: before === undefined ? 'the folder is not empty' : `it holds another import (${before})`,
    fix: 'Choose another --to, or say --overwrite',
  });
}

async function continued(path: string, text: string): Promise<FileHandle> {
  const file = await open(path, 'a');
  // After a line that was cut short the next one begins anew.
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
