import type { Sample, SampleObject } from '../data/index.js';
import { unionOfMasks } from '../imaging/index.js';
import type { ImageBoxes } from '../metrics/index.js';
import { diceCoefficient } from '../metrics/index.js';
import { type Answer, type Counting, countedBoxes, WHOLE } from './answer.js';
import { isMasked, type JudgeOptions, judge } from './judge.js';
import type { Method } from './method.js';
import { type PromptPlan, phrasesOf } from './prompt-plan.js';
import type { TargetRow } from './row.js';

export interface StrictOptions extends JudgeOptions, Counting {
  readonly plan: PromptPlan;
}

/** The rows of one image, and its boxes for average precision, if the method provides scores. */
export interface StrictResult {
  readonly rows: readonly TargetRow[];
  readonly boxes: ImageBoxes | undefined;
}

/**
 * The strict protocol: one prompt for the whole dataset, every box above the threshold counts, every ground-truth instance
 * counts, and false negatives count 0.
 */
export async function strictRows(method: Method, sample: Sample, options: StrictOptions): Promise<StrictResult> {
  const phrases = phrasesOf(options.plan, sample);
  const answer = await method.answer(sample, phrases);
  const targets = targetsOf(sample, options.plan, phrases, answer);
  const rows: TargetRow[] = [];
  for (const { target, truth } of targets) {
    const boxes = countedBoxes(answer, target, options).filter(isMasked);
    rows.push({
      method: method.name,
      protocol: 'strict',
      ...placeOf(sample),
      prompt: promptText(phrases),
      target,
      ...judge(sample, truth, boxes, options),
      detectorScore: answer.find(({ phrase }) => phrase === target)?.score ?? 0,
      dscWithGroundTruthBox: await dscWithGroundTruthBoxes(method, sample, truth),
    });
  }
  return { rows, boxes: method.scored ? boxesOf(answer, targets) : undefined };
}

/** A target in an image: its name and its ground-truth objects. */
export interface Target {
  readonly target: string;
  readonly truth: readonly SampleObject[];
}

/** The targets of an image: each phrase, or everything at once if the words or the masks do not distinguish structures. */
export function targetsOf(sample: Sample, plan: PromptPlan, phrases: readonly string[], answer: Answer): Target[] {
  const { objects } = sample;
  if (plan.kind === 'fixed' && plan.whole) return phrases.map((target) => ({ target, truth: objects }));
  if (answer.some(({ phrase }) => phrase === WHOLE)) return [{ target: WHOLE, truth: objects }];
  return phrases.map((target) => ({ target, truth: objects.filter(({ phrase }) => phrase === target) }));
}

function boxesOf(answer: Answer, targets: readonly Target[]): ImageBoxes {
  return {
    predicted: answer.map(({ phrase, score, boxXyxyPx }) => ({ label: phrase, score, box: boxXyxyPx })),
    truth: targets.flatMap(({ target, truth }) => truth.map(({ boxXyxyPx }) => ({ label: target, box: boxXyxyPx }))),
  };
}

async function dscWithGroundTruthBoxes(
  method: Method,
  sample: Sample,
  truth: readonly SampleObject[],
): Promise<number | undefined> {
  if (method.answerBoxes === undefined || truth.length === 0) return undefined;
  const answer = await method.answerBoxes(
    sample,
    truth.map(({ boxXyxyPx }) => boxXyxyPx),
  );
  const masks = answer.filter(isMasked).map(({ mask }) => mask);
  return diceCoefficient(unionOfMasks(masks), unionOfMasks(truth.map(({ mask }) => mask)));
}

/** The fields that locate a row. */
export function placeOf({ dataset, id, group, file }: Sample): Pick<TargetRow, 'dataset' | 'image' | 'group' | 'file'> {
  return { dataset, image: id, group: group ?? id, file };
}

/** Joins phrases to a prompt in the detector's form. */
export function promptText(phrases: readonly string[]): string {
  return `${phrases.join('. ')}.`;
}
