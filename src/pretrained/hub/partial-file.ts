import { open, rename, rm, stat } from 'node:fs/promises';
import { leftovers, mark, partialPath, took } from './leftovers.js';
import type { Pace } from './pace.js';

/**
 * A partially downloaded file. Its name contains the writing process, so that two never write the same one; the file of a dead
 * process is claimed by renaming it, which only one process can do.
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
   * Creates a partial file, or claims an abandoned one. Waits while another process writes one.
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

  /** Bytes received so far; 0 if the file was removed. */
  async size(): Promise<number> {
    return (await stat(this.path).catch(() => undefined))?.size ?? 0;
  }

  remove(): Promise<void> {
    return rm(this.path, { force: true });
  }

  /** Renames it to the finished file atomically, and removes abandoned partial files of the same blob. */
  async become(target: string): Promise<void> {
    await rename(this.path, target);
    for (const { path, alive } of await leftovers(this.dir, this.etag, this.pace.staleMs))
      if (!alive) await rm(path, { force: true });
  }

  /** Releases the file, so that any process can resume it. */
  async release(): Promise<void> {
    clearInterval(this.heart);
    if ((await this.size()) === 0) await this.remove();
    else await rename(this.path, partialPath(this.dir, this.etag, false)).catch(() => {});
  }
}
