import type { Dataset } from './types.js';

/** Images of a dataset that follow each other. */
export interface Sequence {
  /** What their names share before the number. */
  readonly name: string;
  /** Of the dataset's samples, in the order of their numbers; each number once. */
  readonly indices: readonly number[];
  /** How often the dataset repeats them. */
  readonly times: number;
}

/** Images of one group whose names differ in their last number alone, in its order. Sequences may be of one image. */
export function sequencesIn(dataset: Dataset): Sequence[] {
  const sequences = new Map<string, { readonly index: number; readonly number: number }[]>();
  for (let index = 0; index < dataset.size; index++) {
    const source = dataset.source?.(index);
    const [, before, digits, after] = /^(.*?)(\d+)(\D*)$/.exec(source?.id ?? '') ?? [];
    if (source?.group === undefined || digits === undefined) continue;
    const key = `${source.group}\0${before}\0${after}`;
    sequences.set(key, [...(sequences.get(key) ?? []), { index, number: Number(digits) }]);
  }
  return [...sequences].map(([key, frames]) => {
    const unique = new Map([...frames].reverse().map((frame) => [frame.number, frame]));
    return {
      name: (key.split('\0')[1] ?? '').replace(/[\W_]+$/, ''),
      indices: [...unique.values()].sort((a, b) => a.number - b.number).map(({ index }) => index),
      times: Math.floor(frames.length / unique.size),
    };
  });
}
