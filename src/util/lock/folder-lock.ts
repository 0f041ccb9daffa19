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
import { ownIdentity, stateOf } from './process-identity.js';

/** What somebody reads who finds a folder locked. */
export interface LockAbout {
  /** The folder, or what else is worked on. */
  readonly where: string;
  /** What the owner does, after its name: `is training in it`. */
  readonly doing: string;
  /** The way on besides waiting: `choose another run.dir`. */
  readonly instead: string;
}

const ownerSchema = z.object({
  host: z.string(),
  pid: z.int().positive(),
  started: z.string().optional(),
  boot: z.string().optional(),
  namespace: z.string().optional(),
  /** When it was taken, for people. */
  since: z.string(),
  /** Tells two locks of one process apart. */
  token: z.string(),
});

type Owner = z.infer<typeof ownerSchema>;

/** The locks of this process, by token. What else bears its name was left by code that failed. */
const held = new Set<string>();

/** Where links are not to be had a lock is empty for a moment before it says whose it is: so often it is looked at again. */
const LOOKS = 20;
const PAUSE_MS = 50;

/**
 * A file that says which process works in a folder. It goes with the process that made it: a lock whose owner was killed is
 * taken over, by one of those who want it, also when its process number belongs to another process by now. Whether a process
 * of another machine runs cannot be seen; its lock stays until somebody removes it.
 */
export class FolderLock {
  private constructor(
    private readonly file: string,
    private readonly token: string,
    /** The uppermost folder that was made for it. */
    private readonly made: string | undefined,
  ) {}

  /**
   * Takes a lock, or says who has it. Missing folders are made.
   *
   * @param file - the lock.
   * @throws InUseError naming the owner; SonogroundError when the file cannot be written.
   */
  static async take(file: string, about: LockAbout): Promise<FolderLock> {
    const token = randomBytes(8).toString('hex');
    const owner: Owner = { ...ownIdentity(), since: new Date().toISOString(), token };
    const draft = temporaryPath(file);
    try {
      const made = await writeInto(dirname(file), draft, `${JSON.stringify(owner)}\n`);
      while (!(await placed(draft, file))) {
        const found = await read(file);
        if (found === undefined) continue; // it has just been released
        if (found.owner !== undefined) requireGone(found.owner, file, about);
        if (await succeeded(draft, file, found.text, about)) break;
      }
      held.add(token);
      return new FolderLock(file, token, made);
    } catch (cause) {
      throw readableFileError(file, cause);
    } finally {
      await rm(draft, { force: true }).catch(() => {});
    }
  }

  /** Gives the lock back. Folders that were made for it and hold nothing else go with it: work that was refused leaves no trace. */
  async release(): Promise<void> {
    held.delete(this.token);
    // Somebody may have removed it by hand, and another process have taken it since.
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
 * Does something while holding a lock. What is done within may ask for the same lock again.
 *
 * @throws InUseError when another process, or other work of this one, holds it.
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
 * Writes a file that is not there yet into a folder that may have to be made, while others may remove it because it is empty.
 *
 * @returns the uppermost folder that had to be made.
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

/** Gives a file a second name, which only one process can do. */
async function placed(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
  }
  // Some file systems have no links.
  return copyFile(draft, file, constants.COPYFILE_EXCL).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );
}

/** What a lock says; without an owner where that is nothing, as after a power cut. */
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

function requireGone(owner: Owner, file: string, { where, doing, instead }: LockAbout): void {
  const { pid, host, since, token } = owner;
  const state = stateOf(owner);
  if (state === 'gone' || (state === 'running' && pid === process.pid && !held.has(token))) return;
  if (state === 'running')
    throw new InUseError({
      code: 'E_FOLDER_IN_USE',
      where,
      what: `process ${pid} ${doing}, since ${since}`,
      fix: `Wait for it to end, or ${instead}`,
    });
  throw new InUseError({
    code: 'E_FOLDER_IN_USE',
    where,
    what: `process ${pid} on ${host} ${doing}, since ${since}; whether it still runs cannot be seen from here`,
    fix: `If it has ended delete ${file}; else wait for it, or ${instead}`,
  });
}

/**
 * Takes the place of a lock whose owner is gone. Of several who try only one does: the one that holds a lock on succeeding this
 * very owner, and then still finds it there.
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
