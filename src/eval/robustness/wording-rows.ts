import type { Sample } from '../../data/index.js';
import { type BinaryMask, maskArea, unionOfMasks } from '../../imaging/index.js';
import { diceCoefficient, iou, mean } from '../../metrics/index.js';
import { type Counting, isMasked, type Method, PAPER_THRESHOLD } from '../../protocols/index.js';
import { combinedMask } from '../predictions/combined-mask.js';

/** Result of one wording for one structure in one image. Fractions in [0, 1]. */
export interface WordingRow {
  readonly dataset: string;
  readonly image: string;
  readonly structure: string;
  readonly wording: string;
  /** Whether nothing was found; overlaps are then 0. */
  readonly falseNegative: boolean;
  readonly dsc: number;
  readonly iou: number;
  /** The paper's protocol: only the best box; undefined if no box reaches the threshold. */
  readonly paper: { readonly dsc: number; readonly iou: number } | undefined;
  /** Mean DSC between this wording's mask and those of the others; 1 if all are empty. */
  readonly agreement: number;
}

/** Evaluates several wordings for each structure in an image, one prompt at a time. */
export async function wordingRows(
  method: Method,
  sample: Sample,
  wordings: (structure: string) => readonly string[],
  counting: Counting,
): Promise<WordingRow[]> {
  const rows: WordingRow[] = [];
  for (const structure of new Set(sample.objects.map(({ phrase }) => phrase))) {
    const truth = unionOfMasks(sample.objects.filter(({ phrase }) => phrase === structure).map(({ mask }) => mask));
    const asked = wordings(structure);
    if (asked.length < 2) continue;
    const answers = await Promise.all(asked.map((wording) => method.answer(sample, [wording])));
    const masks = answers.map((answer, k) => combinedMask(answer, asked[k] as string, counting, sample.image));
    for (const [k, wording] of asked.entries()) {
      const mask = masks[k] as BinaryMask;
      const best = answers[k]?.find((box) => box.score > PAPER_THRESHOLD);
      const others = masks.filter((_, other) => other !== k);
      rows.push({
        dataset: sample.dataset,
        image: sample.id,
        structure,
        wording,
        falseNegative: maskArea(mask) === 0,
        dsc: diceCoefficient(mask, truth),
        iou: iou(mask, truth),
        paper:
          best !== undefined && isMasked(best)
            ? { dsc: diceCoefficient(best.mask, truth), iou: iou(best.mask, truth) }
            : undefined,
        agreement: mean(others.map((other) => diceCoefficient(mask, other))),
      });
    }
  }
  return rows;
}
