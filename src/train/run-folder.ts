import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError, isLeftover, readableFileError, withFolderLock } from '../util/index.js';
import { type Checkpoint, readCheckpoint } from './checkpoint.js';
import { TrainLog } from './train-log.js';

const CHECKPOINT = /^step-(\d+)\.safetensors$/;

/** Keeps others from training in a folder meanwhile. */
export function withRunLock<T>(dir: string, body: () => Promise<T>): Promise<T> {
  const about = { where: dir, doing: 'is training in it', instead: 'choose another run.dir' };
  return withFolderLock(join(dir, '.lock'), about, body);
}

/**
 * The files of one run: `best` (weights for inference), `checkpoints/` (the last ones, to resume from) and the log. `best` is a
 * link to the folder that holds the weights: a link can be replaced in one act, a folder cannot.
 */
export class RunFolder {
  readonly dir: string;
  readonly bestDir: string;
  readonly checkpointsDir: string;

  constructor(dir: string) {
    this.dir = dir;
    this.bestDir = join(dir, 'best');
    this.checkpointsDir = join(dir, 'checkpoints');
  }

  /** Makes the folder and removes what an earlier process, when it was killed, was in the middle of writing. */
  async open(): Promise<void> {
    try {
      await mkdir(this.checkpointsDir, { recursive: true });
      for (const dir of [this.dir, this.checkpointsDir])
        for (const name of await readdir(dir)) if (isLeftover(name)) await rm(join(dir, name), { force: true });
      await this.removeOldBest();
    } catch (cause) {
      throw readableFileError(this.dir, cause);
    }
  }

  /** Moves what an earlier run left here into `earlier/<n>/`, and tells where, or nothing if there was none. */
  async setAside(): Promise<string | undefined> {
    const names = new Set(await readdir(this.dir));
    const steps = await this.steps();
    const mine = [...names].filter((name) => name === 'best' || /^best-[0-9a-f]{8}$/.test(name) || TrainLog.files.includes(name));
    if (steps.length === 0 && mine.length === 0) return undefined;
    const parent = join(this.dir, 'earlier');
    await mkdir(parent, { recursive: true });
    const place = join(parent, String((await readdir(parent)).length + 1));
    await mkdir(place);
    for (const name of [...mine, 'checkpoints']) await rename(join(this.dir, name), join(place, name));
    await mkdir(this.checkpointsDir);
    return place;
  }

  checkpointFile(step: number): string {
    return join(this.checkpointsDir, `step-${String(step).padStart(8, '0')}.safetensors`);
  }

  /**
   * The newest checkpoint that is intact, or nothing if there is none at all.
   *
   * @param onDamaged - told of each one that is not.
   * @throws CheckpointError when there are some, and all are damaged.
   */
  async newestCheckpoint(onDamaged: (error: CheckpointError) => void): Promise<Checkpoint | undefined> {
    const steps = await this.steps();
    for (const step of steps.reverse()) {
      try {
        return await readCheckpoint(this.checkpointFile(step));
      } catch (error) {
        if (!(error instanceof CheckpointError)) throw error;
        onDamaged(error);
      }
    }
    if (steps.length === 0) return undefined;
    const what = `none of its ${steps.length} checkpoints is intact`;
    throw new CheckpointError({
      code: 'E_CHECKPOINT_DAMAGED',
      where: this.checkpointsDir,
      what,
      fix: 'Start anew without --resume; what is there is set aside',
    });
  }

  /** Removes all checkpoints but those of the last `keep` steps up to `step`, and any later ones, which were damaged. */
  async prune(keep: number, step: number): Promise<void> {
    const steps = await this.steps();
    const kept = steps.filter((candidate) => candidate <= step).slice(-keep);
    for (const candidate of steps) if (!kept.includes(candidate)) await rm(this.checkpointFile(candidate), { force: true });
  }

  /** Writes a folder with `write` and makes it `best`. Killed at any moment, either the old or the new one is `best`. */
  async replaceBest(write: (dir: string) => Promise<void>): Promise<void> {
    const name = `best-${randomBytes(4).toString('hex')}`;
    await write(join(this.dir, name));
    await syncFolder(join(this.dir, name));
    const link = join(this.dir, `${name}.link`);
    await symlink(name, link);
    await rename(link, this.bestDir);
    // Its names alone: files beside the weights belong to whoever writes them, and one that asks for the lock has some for a moment.
    await sync(this.dir);
    await this.removeOldBest();
  }

  private async removeOldBest(): Promise<void> {
    const current = await readlink(this.bestDir).catch(() => undefined);
    for (const name of await readdir(this.dir))
      if (/^best-[0-9a-f]{8}(\.link)?$/.test(name) && name !== current)
        await rm(join(this.dir, name), { recursive: true, force: true });
  }

  /** Of the checkpoints there are, ascending. */
  private async steps(): Promise<number[]> {
    const names = await readdir(this.checkpointsDir).catch(() => []);
    return names
      .flatMap((name) => (CHECKPOINT.exec(name)?.[1] ?? []) as string | [])
      .map(Number)
      .sort((a, b) => a - b);
  }
}

/** Brings the files of a folder onto the disk, and their names. */
async function syncFolder(dir: string): Promise<void> {
  for (const entry of await readdir(dir, { withFileTypes: true })) if (entry.isFile()) await sync(join(dir, entry.name));
  await sync(dir);
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
