import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, mkdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { InUseError } from '../errors/index.js';
import { temporaryPath } from '../temporary-name.js';
import { readableFileError } from '../write-file-atomic.js';
import { Heartbeat, showsLife } from './heartbeat.js';
import { ownIdentity, stateOf } from './process-identity.js';

/** Content of the error for a locked folder. */
export interface LockAbout {
  /** The folder or other resource. */
  readonly where: string;
  /** The owner's activity, following its name: `is training in it`. */
  readonly doing: string;
  /** An alternative to waiting: `choose another run.dir`. */
  readonly instead: string;
  /** Told before minutes are spent on finding out whether a process of another machine still runs. */
  readonly onWait?: ((message: string) => void) | undefined;
  /** How long its lock may stay untouched. Default: five minutes. */
  readonly silentMs?: number | undefined;
}

const ownerSchema = z.object({
  host: z.string(),
  pid: z.int().positive(),
  started: z.string().optional(),
  boot: z.string().optional(),
  namespace: z.string().optional(),
  /** When the lock was taken, for display. */
  since: z.string(),
  /** Whether the owner touches the lock while it runs. */
  beats: z.literal(true).optional(),
  /** Distinguishes two locks of one process. */
  token: z.string(),
});

type Owner = z.infer<typeof ownerSchema>;

/** Tokens of the locks held by this process. Other locks with its pid were left behind by code that failed. */
const held = new Set<string>();

/** Without hard links, a lock is briefly empty before its owner is written; it is read up to this many times. */
const LOOKS = 20;
const PAUSE_MS = 50;

/**
 * A lock file that records which process works in a folder. It is valid while its process runs: if the owner was killed, exactly
 * one of the waiting processes takes the lock over, even if the pid has been reused. The owner touches its lock while it runs, so
 * that one of another machine or container that failed is taken over too, after minutes without a sign of life.
 */
export class FolderLock {
  private readonly heartbeat: Heartbeat;

  private constructor(
    private readonly file: string,
    private readonly token: string,
    /** The topmost folder created for the lock. */
    private readonly made: string | undefined,
    silentMs: number | undefined,
  ) {
    this.heartbeat = new Heartbeat(file, silentMs);
  }

  /**
   * Takes a lock, or throws an error naming its owner. Missing folders are created.
   *
   * @param file - the lock.
   * @throws InUseError naming the owner; SonogroundError when the file cannot be written.
   */
  static async take(file: string, about: LockAbout): Promise<FolderLock> {
    const token = randomBytes(8).toString('hex');
    const owner: Owner = { ...ownIdentity(), since: new Date().toISOString(), beats: true, token };
    const draft = temporaryPath(file);
    try {
      const made = await writeInto(dirname(file), draft, `${JSON.stringify(owner)}\n`);
      while (!(await placed(draft, file))) {
        const found = await read(file);
        if (found === undefined) continue; // it has just been released
        if (found.owner !== undefined && !(await isGone(found.owner, file, about))) continue;
        if (await succeeded(draft, file, found.text, about)) break;
      }
      held.add(token);
      return new FolderLock(file, token, made, about.silentMs);
    } catch (cause) {
      throw readableFileError(file, cause);
    } finally {
      await rm(draft, { force: true }).catch(() => {});
    }
  }

  /** Releases the lock. Empty folders created for it are removed too, so that refused work leaves no trace. */
  async release(): Promise<void> {
    held.delete(this.token);
    this.heartbeat.stop();
    // It may have been removed by hand and taken by another process since.
    if ((await read(this.file))?.owner?.token === this.token) await rm(this.file, { force: true });
    if (this.made === undefined) return;
    for (let folder = dirname(resolve(this.file)); folder.startsWith(resolve(this.made)); folder = dirname(folder)) {
      const removed = await rmdir(folder).then(
        () => true,
        () => false,
      );
      if (!removed) return;
    }
  }
}

const within = /* @__PURE__ */ new AsyncLocalStorage<ReadonlySet<string>>();

/**
 * Runs a function while holding a lock. The function may request the same lock again.
 *
 * @throws InUseError when another process, or another task of this one, holds it.
 */
export async function withFolderLock<T>(file: string, about: LockAbout, body: () => Promise<T>): Promise<T> {
  const mine = within.getStore() ?? new Set<string>();
  const key = resolve(file);
  if (mine.has(key)) return body();
  const lock = await FolderLock.take(file, about);
  try {
    return await within.run(new Set([...mine, key]), body);
  } finally {
    await lock.release();
  }
}

/**
 * Creates a file, and its folder if missing, while other processes may remove the empty folder.
 *
 * @returns the topmost folder created.
 */
async function writeInto(folder: string, file: string, text: string): Promise<string | undefined> {
  for (;;) {
    const made = await mkdir(folder, { recursive: true });
    try {
      await writeFile(file, text, { flag: 'wx' });
      return made;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** Hard-links a file, which only one process can do. */
async function placed(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
  }
  // Some file systems have no hard links.
  return copyFile(draft, file, constants.COPYFILE_EXCL).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );
}

/** The content of a lock; without an owner if it is unreadable, as after a power failure. */
async function read(file: string): Promise<{ readonly text: string; readonly owner?: Owner } | undefined> {
  let text = '';
  for (let look = 0; look < LOOKS; look++) {
    if (look > 0) await sleep(PAUSE_MS);
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const owner = ownerOf(text);
    if (owner !== undefined) return { text, owner };
  }
  return { text };
}

function ownerOf(text: string): Owner | undefined {
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * Whether the owner of a lock is gone; false when the lock is another one by now.
 *
 * @throws InUseError when the owner still runs, or this cannot be known.
 */
async function isGone(owner: Owner, file: string, about: LockAbout): Promise<boolean> {
  const { where, doing, instead, onWait, silentMs } = about;
  const { pid, host, since, token, beats } = owner;
  const state = stateOf(owner);
  if (state === 'gone' || (state === 'running' && pid === process.pid && !held.has(token))) return true;
  if (state === 'running')
    throw new InUseError({
      code: 'E_FOLDER_IN_USE',
      where,
      what: `process ${pid} ${doing}, since ${since}`,
      fix: `Wait for it to end, or ${instead}`,
    });
  if (beats === undefined)
    throw new InUseError({
      code: 'E_FOLDER_IN_USE',
      where,
      what: `process ${pid} on ${host} ${doing}, since ${since}; whether it still runs cannot be seen from here`,
      fix: `If it has ended delete ${file}; else wait for it, or ${instead}`,
    });
  onWait?.(`${where}: waiting some minutes for a sign of life of process ${pid} on ${host}, which was last at work in it`);
  if (!(await showsLife(file, silentMs))) return true;
  if ((await read(file))?.owner?.token !== token) return false;
  throw new InUseError({
    code: 'E_FOLDER_IN_USE',
    where,
    what: `process ${pid} on ${host} ${doing}, since ${since}`,
    fix: `Wait for it to end, or ${instead}`,
  });
}

/**
 * Replaces a lock whose owner is gone. Of several processes only one succeeds: the one that holds a lock on succeeding this very
 * owner, and still finds the owner's lock in place.
 */
async function succeeded(draft: string, file: string, text: string, about: LockAbout): Promise<boolean> {
  const mark = createHash('sha256').update(text).digest('hex').slice(0, 12);
  const right = await FolderLock.take(join(dirname(file), `.sonoground-heir-${mark}.lock`), about);
  try {
    const now = await readFile(file, 'utf8').catch(() => undefined);
    if (now !== text) return false;
    await rename(draft, file);
    return true;
  } finally {
    await right.release();
  }
}
