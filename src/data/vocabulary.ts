import type { Dataset } from './types.js';

/** Every phrase that the samples of a dataset ask for, in order of appearance. Where it does not say them, each sample is loaded once. */
export async function vocabularyOf(dataset: Dataset): Promise<string[]> {
  if (dataset.phrases !== undefined) return [...new Set(dataset.phrases)];
  const found = new Set<string>();
  for (let i = 0; i < dataset.size; i++) for (const phrase of (await dataset.load(i)).phrases) found.add(phrase);
  return [...found];
}
