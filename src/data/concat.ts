import type { Dataset, Sample } from './types.js';

/** Several datasets one after the other. Each sample keeps the name of its own. */
export class ConcatDataset implements Dataset {
  readonly name: string;
  readonly size: number;
  private readonly parts: readonly Dataset[];

  constructor(name: string, parts: readonly Dataset[]) {
    this.name = name;
    this.parts = parts;
    this.size = parts.reduce((sum, part) => sum + part.size, 0);
  }

  load(index: number): Promise<Sample> {
    let rest = index;
    for (const part of this.parts) {
      if (rest < part.size) return part.load(rest);
      rest -= part.size;
    }
    throw new RangeError(`${this.name}: there is no sample ${index} of ${this.size}`);
  }
}
