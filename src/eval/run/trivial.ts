import { type TrivialGuess, trivialGuess } from '../baseline.js';
import type { RunPart, SplitName } from './run-parts.js';

/** The trivial guess over the parts of a run, each made from its own training images and weighing as its images. Percent. */
export async function trivialGuessOfParts(parts: readonly RunPart[], split: SplitName): Promise<TrivialGuess> {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return trivialGuess(first.data.train, first.data[split]);
  let [sum, count] = [0, 0];
  const byStructure = new Map<string, { sum: number; count: number }>();
  for (const { data } of parts) {
    const { size } = data[split];
    const { dsc, perStructure } = await trivialGuess(data.train, data[split]);
    sum += dsc * size;
    count += size;
    for (const [phrase, value] of Object.entries(perStructure)) {
      const known = byStructure.get(phrase) ?? { sum: 0, count: 0 };
      byStructure.set(phrase, { sum: known.sum + value * size, count: known.count + size });
    }
  }
  const round = (value: number) => Math.round(value * 100) / 100;
  return {
    dsc: round(sum / count),
    perStructure: Object.fromEntries([...byStructure].map(([phrase, one]) => [phrase, round(one.sum / one.count)])),
  };
}
