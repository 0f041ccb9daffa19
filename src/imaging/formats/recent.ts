import { stat } from 'node:fs/promises';

/** Files that stay open, so that the next picture of the same film or volume does not read it anew. */
const KEPT = 2;

/** The last few opened files, by name, size and time of change. */
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
    // The one used last is the last to go.
    this.kept.delete(key);
    this.kept.set(key, opened);
    opened.catch(() => this.kept.delete(key));
    const oldest = this.kept.keys().next();
    if (this.kept.size > KEPT && oldest.done !== true) this.kept.delete(oldest.value);
    return opened;
  }
}
