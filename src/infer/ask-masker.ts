import type { BoxXyxy } from '../imaging/index.js';
import { UsageError } from '../util/index.js';
import type { MaskPrompts, PointXy } from './mask-prompts.js';
import type { Masker, MaskPrediction, PromptAnswer } from './masker.js';

/** A masker that supports points as well as boxes. */
export type PointPromptedMasker = Masker & { predict(prompts: MaskPrompts): Promise<PromptAnswer[]> };

/** A box, points with labels (1 inside, 0 outside), or both. */
export interface OnePrompt {
  readonly boxXyxyPx: BoxXyxy | undefined;
  readonly points: readonly PointXy[];
  readonly labels: readonly number[];
}

/** Whether a masker takes points, and gives several masks. */
export function takesPoints(masker: Masker | undefined): masker is PointPromptedMasker {
  return masker !== undefined && 'predict' in masker;
}

/**
 * Asks a masker of either kind for one prompt on its current image.
 *
 * @param multimask - all of the model's alternatives.
 * @throws UsageError for points or alternatives where it answers boxes alone.
 */
export async function askMasker(
  masker: Masker,
  { boxXyxyPx, points, labels }: OnePrompt,
  multimask = false,
): Promise<readonly MaskPrediction[]> {
  if (takesPoints(masker)) {
    const [answer] = await masker.predict({
      ...(boxXyxyPx && { boxes: [boxXyxyPx] }),
      ...(points.length > 0 && { points: [points], labels: [labels] }),
      multimask,
    });
    return answer?.masks ?? [];
  }
  if (points.length > 0 || multimask || boxXyxyPx === undefined)
    throw new UsageError({
      code: 'E_EXPORT_CANNOT',
      where: 'prompts',
      what: 'this masker answers boxes alone, one mask each',
      fix: 'Give a bbox',
    });
  return masker.predictBoxes([boxXyxyPx]);
}
