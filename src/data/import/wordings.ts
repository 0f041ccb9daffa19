import { loadPrompts, type Prompts } from './prompts.js';
import { importers, knownImporter } from './registry.js';

/** Other ways of asking for a phrase of a dataset; none where the dataset has no word list, or the list not this phrase. */
export type WordingsOf = (dataset: string, phrase: string) => readonly string[];

/**
 * Reads the word lists of all datasets that can be imported. A phrase may be asked for by its synonyms, and by each of them and
 * itself in the list's sentences. The sentences of the paper's prompt study stay out: they are there to be tested on.
 *
 * @throws ConfigError with the line of what is wrong in a list.
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
  // Where several classes bear the phrase, words for one of them would be wrong for another.
  const synonyms = first.synonyms.filter((synonym) => others.every((other) => other.synonyms.includes(synonym)));
  const plain = [phrase, ...synonyms];
  const sentences = templates.flatMap((template) => plain.map((words) => template.replaceAll('{}', words)));
  return [...new Set([...plain, ...sentences])].filter((wording) => wording !== phrase);
}
