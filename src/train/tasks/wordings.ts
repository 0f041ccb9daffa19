import type { Sample, WordingsOf } from '../../data/index.js';
import { canonicalPhrase } from '../../prompts/index.js';
import type { Rng } from '../../util/index.js';

export interface OtherWordings {
  /** Fraction of images with reworded prompts. */
  readonly share: number;
  readonly of: WordingsOf;
}

/**
 * Rewords the phrases of a sample, and its objects accordingly, where alternatives exist. Phrases stay distinct.
 *
 * @param fits - whether this many phrases fit into a prompt of the model.
 */
export function withWordings(
  sample: Sample,
  { share, of }: OtherWordings,
  rng: Rng,
  fits: (phrases: readonly string[]) => boolean,
): Sample {
  if (!rng.chance(share)) return sample;
  const phrases = [...sample.phrases];
  for (const [i, phrase] of sample.phrases.entries()) {
    const [wording] = rng.shuffle(of(sample.dataset, phrase));
    if (wording === undefined || phrases.some((other) => canonicalPhrase(other) === canonicalPhrase(wording))) continue;
    const changed = phrases.with(i, wording);
    if (fits(changed)) phrases[i] = wording;
  }
  const said = new Map(sample.phrases.map((phrase, i) => [phrase, phrases[i] as string]));
  const objects = sample.objects.map((object) => ({ ...object, phrase: said.get(object.phrase) ?? object.phrase }));
  return { ...sample, phrases, objects };
}
