import { loadPrompts, type Prompts } from './prompts.js';
import { importers, knownImporter } from './registry.js';

/** Alternative wordings of a dataset's phrase; empty if the dataset has no word list or the list lacks the phrase. */
export type WordingsOf = (dataset: string, phrase: string) => readonly string[];

/**
 * Loads the word lists of all importable datasets. A phrase's alternatives are its synonyms, and the phrase and its synonyms in
 * each of the list's sentence templates. The sentences of the paper's prompt study are reserved for testing.
 *
 * @throws ConfigError with the line of the error in a list.
 */
export async function loadWordings(): Promise<WordingsOf> {
  const lists = new Map<string, Prompts | undefined>();
  for (const { name } of importers) lists.set(name, await loadPrompts(name));
  return (dataset, phrase) => {
    const prompts = lists.get(knownImporter(dataset)?.name ?? '');
    return prompts === undefined ? [] : wordingsIn(prompts, phrase);
  };
}

function wordingsIn({ classes, templates }: Prompts, phrase: string): string[] {
  const named = Object.values(classes).filter(({ strict, paper }) => strict === phrase || paper === phrase);
  const [first, ...others] = named;
  if (first === undefined) return [];
  // If several classes share the phrase, a synonym must apply to all of them.
  const synonyms = first.synonyms.filter((synonym) => others.every((other) => other.synonyms.includes(synonym)));
  const plain = [phrase, ...synonyms];
  const sentences = templates.flatMap((template) => plain.map((words) => template.replaceAll('{}', words)));
  return [...new Set([...plain, ...sentences])].filter((wording) => wording !== phrase);
}
