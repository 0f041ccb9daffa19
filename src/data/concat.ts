import type { Dataset, Sample, SampleSource } from './types.js';

/** Concatenation of several datasets. Each sample keeps the name of its own dataset. */
export class ConcatDataset implements Dataset {
  readonly name: string;
  readonly size: number;
  readonly parts: readonly Dataset[];

  constructor(name: string, parts: readonly Dataset[]) {
    this.name = name;
    this.parts = parts;
    this.size = parts.reduce((sum, part) => sum + part.size, 0);
  }

  /** The union of all datasets' phrases, if each lists its own. */
  get phrases(): readonly string[] | undefined {
    const lists = this.parts.flatMap(({ phrases }) => (phrases === undefined ? [] : [phrases]));
    return lists.length === this.parts.length ? [...new Set(lists.flat())] : undefined;
  }

  async load(index: number): Promise<Sample> {
    const { part, rest } = this.find(index);
    return inOwnGroup(await part.load(rest), part);
  }

  source(index: number): SampleSource | undefined {
    const { part, rest } = this.find(index);
    const source = part.source?.(rest);
    return source && inOwnGroup(source, part);
  }

  private find(index: number): { readonly part: Dataset; readonly rest: number } {
    let rest = index;
    for (const part of this.parts) {
      if (rest < part.size) return { part, rest };
      rest -= part.size;
    }
    throw new RangeError(`${this.name}: there is no sample ${index} of ${this.size}`);
  }
}

/** Prefixes a group with its dataset: equal names in different datasets are different patients. */
function inOwnGroup<T extends { readonly group?: string | undefined }>(item: T, part: Dataset): T {
  return item.group === undefined ? item : { ...item, group: `${part.name} ${item.group}` };
}
