import type { Sample, SampleObject } from '../data/index.js';
import { isMasked, type JudgeOptions, judge } from './judge.js';
import type { Method } from './method.js';
import type { TargetRow } from './row.js';
import { placeOf, promptText } from './strict.js';

/** The published threshold, exclusive: a box counts if its score is above it. */
export const PAPER_THRESHOLD = 0.1;

export interface PaperOptions extends JudgeOptions {
  /** Whether each kind of structure in an image is a separate item, as in the published kidney data. */
  readonly structures: boolean;
}

/**
 * The paper's protocol: the prompt is the true class (of the last object, as published), only the image's best box counts, its
 * mask is compared with the union of ground-truth masks, and images without a box are marked as false negatives, to be left out
 * of means.
 *
 * Departures: a box's score is the mean over its phrase's tokens, not the maximum over all tokens; masks are resampled to the
 * image's grid by area instead of a bicubic filter under which every touched pixel counts.
 *
 * @see GroundingDINO-US-SAM, arXiv 2506.23903, and its published evaluation
 */
export async function paperRows(method: Method, sample: Sample, { structures, ...options }: PaperOptions): Promise<TargetRow[]> {
  const rows: TargetRow[] = [];
  for (const { phrase, truth } of itemsOf(sample, structures)) {
    const answer = await method.answer(sample, [phrase]);
    const best = answer.find((box) => box.score > PAPER_THRESHOLD && isMasked(box));
    const judged = judge(sample, truth, best !== undefined && isMasked(best) ? [best] : [], options);
    rows.push({
      method: method.name,
      protocol: 'paper',
      ...placeOf(sample),
      prompt: promptText([phrase]),
      target: phrase,
      ...judged,
      // An empty mask is a wrong answer, not a missing one; only missing ones are left out.
      falseNegative: best === undefined,
      detectorScore: answer[0]?.score ?? 0,
      dscWithGroundTruthBox: undefined,
    });
  }
  return rows;
}

function itemsOf({ objects }: Sample, structures: boolean): { phrase: string; truth: readonly SampleObject[] }[] {
  const last = objects.at(-1);
  if (last === undefined) return [];
  if (!structures) return [{ phrase: last.phrase, truth: objects }];
  const phrases = [...new Set(objects.map(({ phrase }) => phrase))];
  return phrases.map((phrase) => ({ phrase, truth: objects.filter((object) => object.phrase === phrase) }));
}
