import { canonicalPhrase } from '../prompts/index.js';
import type { Dataset, Sample, SampleSource } from './types.js';

/**
 * A dataset with renamed phrases. If several phrases become one, an image prompts for it once, and the objects of all of them
 * match.
 */
export class RenameDataset implements Dataset {
  readonly name: string;
  readonly size: number;
  private readonly whole: Dataset;
  private readonly names: ReadonlyMap<string, string>;

  /** @param names - the new name of each phrase; other phrases are unchanged. */
  constructor(whole: Dataset, names: Readonly<Record<string, string>>) {
    this.whole = whole;
    this.name = whole.name;
    this.size = whole.size;
    this.names = new Map(Object.entries(names).map(([from, to]) => [canonicalPhrase(from), canonicalPhrase(to)]));
  }

  get parts(): readonly Dataset[] {
    return [this.whole];
  }

  get phrases(): readonly string[] | undefined {
    const { phrases } = this.whole;
    return phrases && this.renamed(phrases);
  }

  async load(index: number): Promise<Sample> {
    const sample = await this.whole.load(index);
    const objects = sample.objects.map((object) => ({ ...object, phrase: this.nameOf(object.phrase) }));
    return { ...sample, phrases: this.renamed(sample.phrases), objects };
  }

  source(index: number): SampleSource | undefined {
    const source = this.whole.source?.(index);
    return source && { ...source, annotation: `${source.annotation} ${JSON.stringify([...this.names])}` };
  }

  private renamed(phrases: readonly string[]): string[] {
    return [...new Set(phrases.map((phrase) => this.nameOf(phrase)))];
  }

  private nameOf(phrase: string): string {
    return this.names.get(canonicalPhrase(phrase)) ?? phrase;
  }
}
