import { stat } from 'node:fs/promises';

/** Number of files kept open, so that further images of the same cine clip or volume do not reread it. */
const KEPT = 2;

/** Cache of the last opened files, keyed by name, size and modification time. */
export class Recent<T> {
  private readonly open: (file: string) => Promise<T>;
  private readonly kept = new Map<string, Promise<T>>();

  constructor(open: (file: string) => Promise<T>) {
    this.open = open;
  }

  async get(file: string): Promise<T> {
    const info = await stat(file).catch(() => undefined);
    if (info === undefined) return this.open(file);
    const key = `${file}\0${info.size}\0${info.mtimeMs}`;
    const opened = this.kept.get(key) ?? this.open(file);
    // Reinsertion makes it the most recently used.
    this.kept.delete(key);
    this.kept.set(key, opened);
    opened.catch(() => this.kept.delete(key));
    const oldest = this.kept.keys().next();
    if (this.kept.size > KEPT && oldest.done !== true) this.kept.delete(oldest.value);
    return opened;
  }
}
