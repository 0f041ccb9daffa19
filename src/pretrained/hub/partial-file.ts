import { open, rename, rm, stat } from 'node:fs/promises';
import { leftovers, mark, partialPath, took } from './leftovers.js';
import type { Pace } from './pace.js';

/**
 * The part of a file that has come so far. Its name holds the process that writes it, so that two never write the same one;
 * what a dead process left is taken over by renaming it, which only one can do.
 */
export class PartialFile {
  private readonly heart: NodeJS.Timeout;

  private constructor(
    private readonly dir: string,
    private readonly etag: string,
    readonly path: string,
    private readonly pace: Pace,
  ) {
    this.heart = setInterval(() => void mark(path), pace.beatMs).unref();
  }

  /**
   * Begins a partial file, or goes on with one that nobody writes. Waits while another process does.
   *
   * @param isDone - whether the other process has finished the file.
   * @param onWait - called once, before waiting.
   * @returns undefined when it is done.
   */
  static async claim(
    dir: string,
    etag: string,
    pace: Pace,
    isDone: () => Promise<boolean>,
    onWait: () => void,
  ): Promise<PartialFile | undefined> {
    const path = partialPath(dir, etag, true);
    for (let waited = false; ; waited = true) {
      const found = await leftovers(dir, etag, pace.staleMs);
      for (const { path: free } of found.filter(({ alive }) => !alive))
        if (await took(free, path)) return new PartialFile(dir, etag, path, pace);
      if (await isDone()) return undefined;
      if (!found.some(({ alive }) => alive)) {
        await (await open(path, 'wx')).close();
        return new PartialFile(dir, etag, path, pace);
      }
      if (!waited) onWait();
      await pace.sleep(pace.pollMs);
    }
  }

  /** Bytes so far; 0 when it was removed. */
  async size(): Promise<number> {
    return (await stat(this.path).catch(() => undefined))?.size ?? 0;
  }

  remove(): Promise<void> {
    return rm(this.path, { force: true });
  }

  /** Makes it the finished file in one step, and clears what dead processes left of the same file. */
  async become(target: string): Promise<void> {
    await rename(this.path, target);
    for (const { path, alive } of await leftovers(this.dir, this.etag, this.pace.staleMs))
      if (!alive) await rm(path, { force: true });
  }

  /** Gives it back, for any process to go on with. */
  async release(): Promise<void> {
    clearInterval(this.heart);
    if ((await this.size()) === 0) await this.remove();
    else await rename(this.path, partialPath(this.dir, this.etag, false)).catch(() => {});
  }
}
