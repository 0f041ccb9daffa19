import type { Sample } from '../data/index.js';
import type { Rng } from '../util/index.js';

export interface NegativePhrases {
  /** Share of images whose prompt gets phrases of things that they do not show. */
  readonly share: number;
  /** How many such phrases a prompt gets at most. */
  readonly most: number;
  /** What they are drawn from: the phrases of the run's datasets. */
  readonly vocabulary: readonly string[];
  /** Phrases of one list are no negatives of each other. Default: none. */
  readonly related?: readonly (readonly string[])[] | undefined;
}

/**
 * A sample whose prompt also asks for things that it does not show, in a shuffled order. Phrases that share all words of one
 * with another ("lesion" and "breast lesion") are no negatives of each other.
 *
 * @param fits - whether so many phrases make a prompt that the model takes.
 */
export function withNegatives(
  sample: Sample,
  { share, most, vocabulary, related = [] }: NegativePhrases,
  rng: Rng,
  fits: (phrases: readonly string[]) => boolean,
): Sample {
  const kin = (a: string, b: string) => related.some((list) => list.includes(a) && list.includes(b));
  const others = vocabulary.filter((phrase) => !sample.phrases.some((own) => sameThing(own, phrase) || kin(own, phrase)));
  const wanted = rng.chance(share) ? 1 + rng.int(most) : 0;
  const phrases = [...sample.phrases];
  for (const phrase of rng.shuffle(others).slice(0, wanted)) if (fits([...phrases, phrase])) phrases.push(phrase);
  return { ...sample, phrases: rng.shuffle(phrases) };
}

/** Whether all words of one phrase are among those of the other. */
function sameThing(a: string, b: string): boolean {
  const [one, two] = [wordsOf(a), wordsOf(b)];
  return [...one].every((word) => two.has(word)) || [...two].every((word) => one.has(word));
}

function wordsOf(phrase: string): Set<string> {
  return new Set(phrase.toLowerCase().split(/\s+/).filter(Boolean));
}
