import { randomBytes } from 'node:crypto';
import type { ViewerFile } from './viewer-images.js';

/** Images that viewers have sent, in memory only: at most a few, and the oldest go first. */
export class KeptUploads {
  private readonly kept = new Map<string, ViewerFile>();

  /** @param most - bytes of all together; the last one stays whatever its size. */
  constructor(private readonly most: number) {}

  /** @returns the id under which it is kept. Default: a random one. */
  add(file: ViewerFile, id: string = randomBytes(16).toString('hex')): string {
    this.kept.delete(id);
    this.kept.set(id, file);
    for (const [oldest] of this.kept) {
      if (this.kept.size === 1 || this.bytes <= this.most) break;
      this.kept.delete(oldest);
    }
    return id;
  }

  get(id: string): ViewerFile | undefined {
    const file = this.kept.get(id);
    if (file !== undefined) {
      this.kept.delete(id);
      this.kept.set(id, file);
    }
    return file;
  }

  delete(id: string): void {
    this.kept.delete(id);
  }

  get ids(): readonly string[] {
    return [...this.kept.keys()];
  }

  private get bytes(): number {
    return [...this.kept.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  }
}
