import type { Sample } from '../../data/index.js';
import { diceCoefficient, mean } from '../../metrics/index.js';
import { mirrorImage, mirrorMask, mirrorPhrase } from '../../processing/index.js';
import type { Answer, Counting, Method, TargetRow } from '../../protocols/index.js';
import { combinedMask } from '../predictions/combined-mask.js';

/** A row with a quality estimate made without ground truth. Fractions in [0, 1]. */
export interface TrustedRow extends TargetRow {
  /** DSC between the mask and the prediction for the mirrored image, mirrored back. */
  readonly flipAgreement?: number;
  /** Mean DSC between the mask and those from other wordings. */
  readonly wordingAgreement?: number;
  /** Mean of the masker's mask score and the available agreements; 0 if nothing was found. */
  readonly predictedQuality: number;
}

export interface TrustOptions extends Counting {
  /** Whether to evaluate the mirrored image too, which doubles the work. */
  readonly flip: boolean;
  /** Answers under other wordings of a target. */
  readonly wordings: (target: string) => Promise<readonly Answer[]>;
}

/** Adds predicted quality to the strict rows of an image. @param phrases - the prompt of the rows. */
export async function trustRows(
  method: Method,
  sample: Sample,
  phrases: readonly string[],
  rows: readonly TargetRow[],
  { flip, wordings, ...counting }: TrustOptions,
): Promise<TrustedRow[]> {
  const answer = await method.answer(sample, phrases);
  const mirrored = flip
    ? await method.answer({ ...sample, image: mirrorImage(sample.image) }, phrases.map(mirrorPhrase))
    : undefined;
  const trusted: TrustedRow[] = [];
  for (const row of rows) {
    const mask = combinedMask(answer, row.target, counting, sample.image);
    const flipAgreement =
      mirrored && diceCoefficient(mask, mirrorMask(combinedMask(mirrored, mirrorPhrase(row.target), counting, sample.image)));
    const others = await wordings(row.target);
    const agreements = others.map((other) => {
      const phrase = other[0]?.phrase ?? row.target;
      return diceCoefficient(mask, combinedMask(other, phrase, counting, sample.image));
    });
    const wordingAgreement = agreements.length > 0 ? mean(agreements) : undefined;
    const parts = [row.maskerScore, flipAgreement, wordingAgreement].filter((part) => part !== undefined);
    trusted.push({
      ...row,
      ...(flipAgreement !== undefined && { flipAgreement }),
      ...(wordingAgreement !== undefined && { wordingAgreement }),
      predictedQuality: row.predicted === 0 ? 0 : mean(parts.map((part) => Math.min(1, Math.max(0, part)))),
    });
  }
  return trusted;
}
