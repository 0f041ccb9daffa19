import type { Sample, SampleObject } from '../data/index.js';
import { resizeMask } from '../imaging/index.js';
import { isMasked, type Judgement, type JudgeOptions, judge, type MaskedBox } from './judge.js';
import type { Method } from './method.js';
import type { TargetRow } from './row.js';
import { placeOf, promptText } from './strict.js';

/** The published threshold, exclusive: a box counts if its score is above it. */
export const PAPER_THRESHOLD = 0.1;

export interface PaperOptions extends JudgeOptions {
  /** Whether each kind of structure in an image is a separate item, as in the published kidney data. */
  readonly structures: boolean;
  /** Whether masks are compared on the image's grid, or as published on the prediction's own. Default: the image's. */
  readonly grid?: 'image' | 'prediction' | undefined;
}

/**
 * The paper's protocol: the prompt is the true class (of the last object, as published), only the image's best box counts, its
 * mask is compared with the union of ground-truth masks, and images without a box are marked as false negatives, to be left out
 * of means.
 *
 * Departures: a box's score is the mean over its phrase's tokens, not the maximum over all tokens; masks are resampled to the
 * image's grid by area instead of a bicubic filter under which every touched pixel counts, unless `grid` is `prediction`.
 *
 * @see GroundingDINO-US-SAM, arXiv 2506.23903, and its published evaluation
 */
export async function paperRows(
  method: Method,
  sample: Sample,
  { structures, grid, ...options }: PaperOptions,
): Promise<TargetRow[]> {
  const rows: TargetRow[] = [];
  for (const { phrase, truth } of itemsOf(sample, structures)) {
    const answer = await method.answer(sample, [phrase]);
    const masked = answer.filter(isMasked).filter((box) => box.score > PAPER_THRESHOLD);
    // Without scores there is no best: the published scripts score all that a method marks in an image as one mask.
    const counted = method.scored ? masked.slice(0, 1) : masked;
    const judged =
      grid === 'prediction' ? judgeOnOwnGrid(sample, truth, counted, options) : judge(sample, truth, counted, options);
    rows.push({
      method: method.name,
      protocol: 'paper',
      ...placeOf(sample),
      prompt: promptText([phrase]),
      target: phrase,
      ...judged,
      // An empty mask is a wrong answer, not a missing one; only missing ones are left out.
      falseNegative: counted.length === 0,
      detectorScore: answer[0]?.score ?? 0,
      dscWithGroundTruthBox: undefined,
    });
  }
  return rows;
}

/**
 * Compares on the grid of the prediction, to which the ground truth is resized by nearest neighbour. Distances are not measured
 * there: pixels of another grid are another unit.
 */
function judgeOnOwnGrid(
  sample: Sample,
  truth: readonly SampleObject[],
  boxes: readonly MaskedBox[],
  options: JudgeOptions,
): Judgement {
  const own = boxes.find(({ ownGrid }) => ownGrid !== undefined)?.ownGrid;
  if (own === undefined) return judge(sample, truth, boxes, options);
  const resized = truth.map((object) => ({ ...object, mask: resizeMask(object.mask, own) }));
  const predicted = boxes.map((box) => ({ ...box, mask: resizeMask(box.ownGrid ?? box.mask, own) }));
  const judged = judge(sample, resized, predicted, { unit: options.unit });
  return { ...judged, hd95: Number.NaN, nsd: Number.NaN };
}

function itemsOf({ objects }: Sample, structures: boolean): { phrase: string; truth: readonly SampleObject[] }[] {
  const last = objects.at(-1);
  if (last === undefined) return [];
  if (!structures) return [{ phrase: last.phrase, truth: objects }];
  const phrases = [...new Set(objects.map(({ phrase }) => phrase))];
  return phrases.map((phrase) => ({ phrase, truth: objects.filter((object) => object.phrase === phrase) }));
}
