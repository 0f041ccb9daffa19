import type { Sample } from '../../data/index.js';
import type { Rng } from '../../util/index.js';

export interface NegativePhrases {
  /** Fraction of images whose prompt gets negative phrases, of structures that they do not show. */
  readonly share: number;
  /** Maximum number of negative phrases per prompt. */
  readonly most: number;
  /** Fraction of these prompts that name negative phrases alone, so that nothing is to be found. Default: 0. */
  readonly alone?: number;
  /** Candidates: the phrases of the run's datasets, and others. */
  readonly vocabulary: readonly string[];
  /** Lists of phrases that are not negatives of each other. Default: none. */
  readonly related?: readonly (readonly string[])[] | undefined;
}

/**
 * A sample whose prompt also names structures that the image does not show, shuffled, or names only those; its objects are left out
 * then. Phrases of which one contains all words of the other ("lesion" and "breast lesion") are not negatives of each other.
 *
 * @param fits - whether this many phrases fit into a prompt of the model.
 */
export function withNegatives(
  sample: Sample,
  { share, most, alone = 0, vocabulary, related = [] }: NegativePhrases,
  rng: Rng,
  fits: (phrases: readonly string[]) => boolean,
): Sample {
  const kin = (a: string, b: string) => related.some((list) => list.includes(a) && list.includes(b));
  const others = vocabulary.filter((phrase) => !sample.phrases.some((own) => sameThing(own, phrase) || kin(own, phrase)));
  const wanted = rng.chance(share) ? 1 + rng.int(most) : 0;
  const phrases = [...sample.phrases];
  for (const phrase of rng.shuffle(others).slice(0, wanted)) if (fits([...phrases, phrase])) phrases.push(phrase);
  const negatives = phrases.slice(sample.phrases.length);
  // A probability of 0 draws no number.
  if (alone > 0 && negatives.length > 0 && rng.chance(alone)) return { ...sample, objects: [], phrases: negatives };
  return { ...sample, phrases: rng.shuffle(phrases) };
}

/** Whether one phrase contains all words of the other. */
function sameThing(a: string, b: string): boolean {
  const [one, two] = [wordsOf(a), wordsOf(b)];
  return [...one].every((word) => two.has(word)) || [...two].every((word) => one.has(word));
}

function wordsOf(phrase: string): Set<string> {
  return new Set(phrase.toLowerCase().split(/\s+/).filter(Boolean));
}
