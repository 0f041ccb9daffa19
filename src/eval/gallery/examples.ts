import type { Sample } from '../../data/index.js';
import { type BinaryMask, unionOfMasks } from '../../processing/index.js';
import { type Counting, combinedMask } from '../predictions/combined-mask.js';
import type { Method } from '../predictions/method.js';
import { type PromptPlan, phrasesOf } from '../protocols/prompt-plan.js';
import type { TargetRow } from '../protocols/row.js';
import type { ImagePlace } from '../run/collect.js';
import { foldImages } from '../summary/image-score.js';

/** An image of the gallery: what it shows, and what a method made of it. */
export interface Example {
  readonly sample: Sample;
  readonly truth: BinaryMask;
  readonly predicted: BinaryMask;
  /** Strict scores of the image, fractions in [0, 1]. */
  readonly dsc: number;
  readonly iou: number;
  readonly missed: boolean;
  readonly prompt: string;
  readonly rows: readonly TargetRow[];
}

/** An image that shows something, with its strict DSC, a fraction in [0, 1]. */
export interface Ranked extends ImagePlace {
  readonly dsc: number;
}

/** The images that show something, worst first by the strict score of a method. */
export function rankImages(places: readonly ImagePlace[], rows: readonly TargetRow[], method: string): Ranked[] {
  const own = foldImages(rows.filter((row) => row.method === method && row.protocol === 'strict'));
  const scores = new Map(own.map(({ dataset, image, dsc }) => [JSON.stringify([dataset, image]), dsc]));
  const ranked = places.flatMap((place) => {
    const dsc = scores.get(JSON.stringify([place.dataset, place.image]));
    return dsc === undefined ? [] : [{ ...place, dsc }];
  });
  return ranked.sort((a, b) => a.dsc - b.dsc || (a.image < b.image ? -1 : 1));
}

/** At most `limit` of a ranking, evenly spaced, the first and the last among them. */
export function spread<T>(items: readonly T[], limit: number): T[] {
  if (items.length <= limit) return [...items];
  return Array.from({ length: limit }, (_, k) => items[Math.round((k * (items.length - 1)) / (limit - 1))] as T);
}

/** Loads an image again with a method's answer, which is remembered by now. */
export async function exampleOf(
  { part, index }: Ranked,
  method: Method,
  plans: ReadonlyMap<string, PromptPlan>,
  rows: readonly TargetRow[],
  counting: Counting,
): Promise<Example> {
  const sample = await part.dataset.load(index);
  const phrases = phrasesOf(plans.get(sample.dataset) as PromptPlan, sample);
  const answer = await method.answer(sample, phrases);
  const own = rows.filter(
    (row) =>
      row.method === method.name &&
      row.protocol === 'strict' &&
      row.dataset === sample.dataset &&
      row.image === sample.id &&
      row.shown,
  );
  const [score] = foldImages(own);
  // Boxes of things that are not shown are errors too, and belong into the picture.
  const targets = new Set(answer.map(({ phrase }) => phrase));
  const masks = [...targets].map((target) => combinedMask(answer, target, counting, sample.image));
  return {
    sample,
    truth: unionOfMasks(sample.objects.map(({ mask }) => mask)),
    predicted: unionOfMasks([combinedMask([], '', counting, sample.image), ...masks]),
    dsc: score?.dsc ?? 0,
    iou: score?.iou ?? 0,
    missed: score?.missed ?? true,
    prompt: own[0]?.prompt ?? '',
    rows: own,
  };
}
