import type { Sample } from '../../data/index.js';
import { type BinaryMask, maskArea, type Size, unionOfMasks } from '../../imaging/index.js';
import {
  type Answer,
  type Counting,
  foldImages,
  type Method,
  type PromptPlan,
  phrasesOf,
  type TargetRow,
  targetsOf,
} from '../../protocols/index.js';
import type { ImagePlace } from '../collect.js';
import { combinedMask } from '../predictions/combined-mask.js';

/** Maximum number of images on a page; each costs about 20 kB. */
export const GALLERY = 120;

/** The mask of a phrase, on the image's own grid. */
export interface PhraseMask {
  readonly phrase: string;
  readonly mask: BinaryMask;
}

/** An image of the gallery with ground truth and results. */
export interface Example {
  readonly sample: Sample;
  readonly prompt: string;
  /** One mask per target, by its evaluated name. */
  readonly truth: readonly PhraseMask[];
  /** The last one determines the image's sorting and filtering. */
  readonly answers: readonly ExampleAnswer[];
}

/** A method's result on an image. */
export interface ExampleAnswer {
  /** Title of its panel. */
  readonly name: string;
  /** Masks of all detected phrases, including false positives. */
  readonly masks: readonly PhraseMask[];
  /** Strict scores of the image, fractions in [0, 1]. */
  readonly dsc: number;
  readonly iou: number;
  readonly falseNegative: boolean;
  /** Strict rows of the structures in the image. */
  readonly rows: readonly TargetRow[];
}

/** A method and its rows. */
export interface Answering {
  /** Title of its panel. */
  readonly name: string;
  readonly method: Method;
  readonly rows: readonly TargetRow[];
}

/** An image with at least one structure, and its strict DSC, a fraction in [0, 1]. */
export interface Ranked extends ImagePlace {
  readonly dsc: number;
}

/** Ranks images with at least one structure by a method's strict score, worst first. */
export function rankImages(places: readonly ImagePlace[], rows: readonly TargetRow[], method: string): Ranked[] {
  const own = foldImages(rows.filter((row) => row.method === method && row.protocol === 'strict'));
  const scores = new Map(own.map(({ dataset, image, dsc }) => [JSON.stringify([dataset, image]), dsc]));
  const ranked = places.flatMap((place) => {
    const dsc = scores.get(JSON.stringify([place.dataset, place.image]));
    return dsc === undefined ? [] : [{ ...place, dsc }];
  });
  return ranked.sort((a, b) => a.dsc - b.dsc || (a.image < b.image ? -1 : 1));
}

/** At most `limit` items of a ranking, evenly spaced, including the first and the last. */
export function spread<T>(items: readonly T[], limit: number): T[] {
  if (items.length <= limit) return [...items];
  return Array.from({ length: limit }, (_, k) => items[Math.round((k * (items.length - 1)) / (limit - 1))] as T);
}

/** Reloads an image with the cached answers to it. */
export async function exampleOf(
  { split, index }: Pick<ImagePlace, 'split' | 'index'>,
  answering: readonly Answering[],
  plans: ReadonlyMap<string, PromptPlan>,
  counting: Counting,
): Promise<Example> {
  const sample = await split.dataset.load(index);
  const plan = plans.get(sample.dataset) as PromptPlan;
  const phrases = phrasesOf(plan, sample);
  const answers: ExampleAnswer[] = [];
  let truth: readonly PhraseMask[] = [];
  for (const { name, method, rows } of answering) {
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
    truth = targetsOf(sample, plan, phrases, answer).flatMap(({ target, truth: objects }) =>
      objects.length === 0 ? [] : [{ phrase: target, mask: unionOfMasks(objects.map(({ mask }) => mask)) }],
    );
    answers.push({
      name,
      masks: phraseMasks(answer, counting, sample.image),
      dsc: score?.dsc ?? 0,
      iou: score?.iou ?? 0,
      falseNegative: score?.falseNegative ?? true,
      rows: own,
    });
  }
  return { sample, prompt: answers[0]?.rows[0]?.prompt ?? '', truth, answers };
}

/** Names of all targets and predictions in the rows, in the order of their colours. */
export function colouredPhrases(rows: readonly TargetRow[]): string[] {
  return [...new Set(rows.filter(({ shown, predicted }) => shown || predicted > 0).map(({ target }) => target))].sort();
}

/** The phrases with a mask in an example. */
export function phrasesIn({ truth, answers }: Example): string[] {
  return [...truth, ...answers.flatMap(({ masks }) => masks)].map(({ phrase }) => phrase);
}

/** Includes boxes of structures that the image does not show: these are errors and are drawn too. */
function phraseMasks(answer: Answer, counting: Counting, size: Size): PhraseMask[] {
  const phrases = [...new Set(answer.map(({ phrase }) => phrase))];
  return phrases
    .map((phrase) => ({ phrase, mask: combinedMask(answer, phrase, counting, size) }))
    .filter(({ mask }) => maskArea(mask) > 0);
}
