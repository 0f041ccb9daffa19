import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError, isLeftover, type Logger, readableFileError, silentLogger, withFolderLock } from '../../util/index.js';
import { type Checkpoint, readCheckpoint } from './checkpoint.js';
import { TrainLog } from './train-log.js';

const CHECKPOINT = /^step-(\d+)\.safetensors$/;

/** Locks a run folder against other processes while `body` runs. */
export function withRunLock<T>(dir: string, body: () => Promise<T>, logger: Logger = silentLogger): Promise<T> {
  const onWait = (message: string) => logger.info(message);
  const about = { where: dir, doing: 'is training in it', instead: 'choose another run.dir', onWait };
  return withFolderLock(join(dir, '.lock'), about, body);
}

/**
 * The files of one run: `best` (weights for inference), `checkpoints/` (the last ones, for resuming) and the log. `best` is a
 * link to the folder with the weights: unlike a folder, a link can be replaced atomically.
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

  /** Creates the folder and removes temporary files of a killed process. */
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

  /** Moves the files of an earlier run into `earlier/<n>/` and returns that path, or undefined if there was none. */
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
   * The newest intact checkpoint, or undefined if there is none at all.
   *
   * @param onDamaged - called for each damaged one.
   * @throws CheckpointError when all existing checkpoints are damaged.
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

  /** Removes all checkpoints except the last `keep` up to `step`; later ones were damaged and are removed as well. */
  async prune(keep: number, step: number): Promise<void> {
    const steps = await this.steps();
    const kept = steps.filter((candidate) => candidate <= step).slice(-keep);
    for (const candidate of steps) if (!kept.includes(candidate)) await rm(this.checkpointFile(candidate), { force: true });
  }

  /**
   * Writes a folder with `write` and makes it `best`, atomically: if the process is killed, either the old or the new one is
   * `best`.
   */
  async replaceBest(write: (dir: string) => Promise<void>): Promise<void> {
    const name = `best-${randomBytes(4).toString('hex')}`;
    await write(join(this.dir, name));
    await syncFolder(join(this.dir, name));
    const link = join(this.dir, `${name}.link`);
    await symlink(name, link);
    await rename(link, this.bestDir);
    // Only the folder's own entries: files beside the weights belong to their writers, and a process that requests the lock
    // briefly has temporary ones.
    await sync(this.dir);
    await this.removeOldBest();
  }

  private async removeOldBest(): Promise<void> {
    const current = await readlink(this.bestDir).catch(() => undefined);
    for (const name of await readdir(this.dir))
      if (/^best-[0-9a-f]{8}(\.link)?$/.test(name) && name !== current)
        await rm(join(this.dir, name), { recursive: true, force: true });
  }

  /** Steps of the existing checkpoints, ascending. */
  private async steps(): Promise<number[]> {
    const names = await readdir(this.checkpointsDir).catch(() => []);
    return names
      .flatMap((name) => (CHECKPOINT.exec(name)?.[1] ?? []) as string | [])
      .map(Number)
      .sort((a, b) => a - b);
  }
}

/** Flushes the files of a folder, and the folder itself, to disk. */
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
