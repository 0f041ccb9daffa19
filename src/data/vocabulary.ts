import type { Dataset } from './types.js';

/**
 * Collects all phrases of a dataset's samples. A dataset that does not list its phrases has each sample loaded once; a composite
 * is resolved part by part, so that phantoms do not cause datasets on disk to be read.
 */
export async function vocabularyOf(dataset: Dataset): Promise<string[]> {
  if (dataset.phrases !== undefined) return [...new Set(dataset.phrases)];
  const found = new Set<string>();
  for (const part of dataset.parts ?? []) for (const phrase of await vocabularyOf(part)) found.add(phrase);
  if (dataset.parts !== undefined) return [...found];
  for (let i = 0; i < dataset.size; i++) for (const phrase of (await dataset.load(i)).phrases) found.add(phrase);
  return [...found];
}
