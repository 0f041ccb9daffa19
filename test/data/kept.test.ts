import { describe, expect, it } from '@jest/globals';
import {
  type Dataset,
  KeptDataset,
  PhantomDataset,
  type PhantomDomain,
  phantomDomains,
  SampleStore,
} from '../../src/data/index.js';

const phantoms = new PhantomDataset({
  size: 4,
  seed: 5,
  width: 48,
  height: 32,
  domain: phantomDomains['standard'] as PhantomDomain,
});

/** The phantoms, and how often each was read. */
function counted(): { readonly data: Dataset; readonly reads: number[] } {
  const reads = [0, 0, 0, 0];
  const load = (index: number) => {
    reads[index] = (reads[index] ?? 0) + 1;
    return phantoms.load(index);
  };
  return { data: { name: 'counted', size: 4, phrases: ['cyst'], load }, reads };
}

async function bytesOf(index: number): Promise<number> {
  const { image, objects } = await phantoms.load(index);
  return objects.reduce((sum, { mask }) => sum + mask.data.byteLength, image.data.byteLength);
}

describe('KeptDataset', () => {
  it('reads each sample once and answers the same from then on', async () => {
    const { data, reads } = counted();
    const kept = new KeptDataset(data, new SampleStore());
    for (let pass = 0; pass < 3; pass++)
      for (let i = 0; i < kept.size; i++) expect(await kept.load(i)).toEqual(await phantoms.load(i));
    expect(reads).toEqual([1, 1, 1, 1]);
    expect([kept.name, kept.size, kept.phrases, kept.parts]).toEqual(['counted', 4, ['cyst'], [data]]);
  });

  it('takes no more memory than its store has, which several datasets share', async () => {
    const store = new SampleStore((await bytesOf(0)) + (await bytesOf(1)));
    const [first, second] = [counted(), counted()];
    const kept = [new KeptDataset(first.data, store), new KeptDataset(second.data, store)] as const;
    for (let pass = 0; pass < 2; pass++) for (const one of kept) for (const i of [0, 1]) await one.load(i);
    expect(first.reads.slice(0, 2)).toEqual([1, 1]);
    expect(second.reads.slice(0, 2)).toEqual([2, 2]);
  });

  it('takes room once for a sample that two ask for at the same time', async () => {
    const store = new SampleStore((await bytesOf(0)) + (await bytesOf(1)));
    const { data, reads } = counted();
    const kept = new KeptDataset(data, store);
    await Promise.all([kept.load(0), kept.load(0)]);
    await kept.load(1);
    await kept.load(1);
    expect(reads[1]).toBe(1);
  });
});
