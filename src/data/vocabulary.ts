import type { Dataset } from './types.js';

/**
 * Every phrase that the samples of a dataset ask for. A dataset that does not list its phrases has each sample loaded once; one made of
 * several is asked part by part, so that phantoms beside datasets on disk do not have these read as well.
 */
export async function vocabularyOf(dataset: Dataset): Promise<string[]> {
  if (dataset.phrases !== undefined) return [...new Set(dataset.phrases)];
  const found = new Set<string>();
  for (const part of dataset.parts ?? []) for (const phrase of await vocabularyOf(part)) found.add(phrase);
  if (dataset.parts !== undefined) return [...found];
  for (let i = 0; i < dataset.size; i++) for (const phrase of (await dataset.load(i)).phrases) found.add(phrase);
  return [...found];
}
