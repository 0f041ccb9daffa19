import { diceCoefficient, iou } from '../metrics/index.js';
import { type BinaryMask, type BoxXyxy, boxIou, type RasterImage, unionOfMasks } from '../processing/index.js';
import type { Masker } from './masker.js';

/** A box and, where somebody made one, its mask. */
interface Outlined {
  readonly boxXyxyPx: BoxXyxy;
  readonly mask: BinaryMask;
}

/** How well what was found for one phrase fits what the image shows of it. Fractions in [0, 1]; all 0 where nothing was found. */
export interface PhraseOverlap {
  /** Dice coefficient of the union of the masks that were found with the union of the true ones. */
  readonly dsc: number;
  readonly iou: number;
  /** See `bestBoxIou`. */
  readonly boxIou: number;
  readonly missed: boolean;
}

/**
 * @param found - what was found for the phrase, best first.
 * @param truth - what the image shows of it; at least one.
 */
export function phraseOverlap(found: readonly Outlined[], truth: readonly Outlined[]): PhraseOverlap {
  if (found.length === 0) return { dsc: 0, iou: 0, boxIou: 0, missed: true };
  const [predicted, wanted] = [found, truth].map((all) => unionOfMasks(all.map(({ mask }) => mask))) as [BinaryMask, BinaryMask];
  return {
    dsc: diceCoefficient(predicted, wanted),
    iou: iou(predicted, wanted),
    boxIou: bestBoxIou(found, truth),
    missed: false,
  };
}

/** IoU of the best box that was found with the true box that it covers best; 0 where nothing was found. */
export function bestBoxIou(found: readonly Pick<Outlined, 'boxXyxyPx'>[], truth: readonly Pick<Outlined, 'boxXyxyPx'>[]): number {
  const [best] = found;
  if (best === undefined) return 0;
  return Math.max(...truth.map(({ boxXyxyPx }) => boxIou(best.boxXyxyPx, boxXyxyPx)));
}

/** DSC of what the masker makes of the true boxes: how far boxes that are right would carry. */
export async function dscGivenTrueBoxes(masker: Masker, image: RasterImage, truth: readonly Outlined[]): Promise<number> {
  await masker.setImage(image);
  const predictions = await masker.masksOf(truth.map(({ boxXyxyPx }) => boxXyxyPx));
  const [predicted, wanted] = [predictions, truth].map((all) => unionOfMasks(all.map(({ mask }) => mask)));
  return diceCoefficient(predicted as BinaryMask, wanted as BinaryMask);
}
