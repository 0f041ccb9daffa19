import type { Sample, SampleObject } from '../data/index.js';
import { isMasked, type JudgeOptions, judge } from './judge.js';
import type { Method } from './method.js';
import type { TargetRow } from './row.js';
import { placeOf, promptText } from './strict.js';

/** The published threshold: only a box that scores more counts. */
export const PAPER_THRESHOLD = 0.1;

export interface PaperOptions extends JudgeOptions {
  /** Whether each kind of thing in an image is an item of its own, as the published kidney data is laid out. */
  readonly structures: boolean;
}

/**
 * The paper's protocol: the prompt is the true class (of the last object, as published), the one best box of the image counts,
 * its mask is compared with the whole true mask, and images without a box are marked as missed, to be left out of means.
 *
 * Departures: a box's score is the mean over its phrase's tokens, not the maximum over all tokens; masks are brought to the
 * image's grid by area and not by a bicubic filter that lets every touched pixel count.
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
      // An empty mask is an answer, and a wrong one; only no answer is left out.
      missed: best === undefined,
      detectorScore: answer[0]?.score ?? 0,
      dscGivenTrueBox: undefined,
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
