import type { Sample, SampleObject } from '../data/index.js';
import { type BinaryMask, maskArea, unionOfMasks } from '../imaging/index.js';
import { boxIou, diceCoefficient, iou, type MaskScores, maskScores, type Spacing } from '../metrics/index.js';
import type { AnsweredBox } from './answer.js';
import { foundInstances, instanceDsc } from './instances.js';
import type { DistanceUnit, TargetRow } from './row.js';
import { sizesOf } from './sizes.js';

/** A box with a mask. */
export type MaskedBox = AnsweredBox & { readonly mask: BinaryMask };

export interface JudgeOptions {
  readonly unit: DistanceUnit;
  /** Boundary distance tolerance, in `unit`. Absent: distances, which dominate the cost, are not measured (NaN). */
  readonly tolerance?: number | undefined;
}

/** The fields of a row that depend only on the comparison of masks. */
export type Judgement = Omit<
  TargetRow,
  'method' | 'protocol' | 'dataset' | 'image' | 'group' | 'file' | 'prompt' | 'target' | 'detectorScore' | 'dscWithGroundTruthBox'
>;

/** Compares the union of the predicted masks with the union of the ground-truth masks, and instances one by one. */
export function judge(
  sample: Sample,
  truth: readonly SampleObject[],
  boxes: readonly MaskedBox[],
  { unit, tolerance }: JudgeOptions,
): Judgement {
  const spacing = spacingOf(sample, unit);
  const found = boxes.filter(({ mask }) => maskArea(mask) > 0);
  const best = found[0];
  const shared = { unit, maskerScore: best?.maskScore, predicted: found.length, instances: truth.length };
  if (truth.length === 0 || best === undefined) {
    const { width, height } = sample.image;
    const nothing = { dsc: 0, iou: 0, nsd: 0, found: 0, boxIou: 0, instanceDsc: 0 };
    const hd95 = Math.hypot(width * spacing.x, height * spacing.y);
    return { ...shared, ...nothing, hd95, shown: truth.length > 0, falseNegative: truth.length > 0 };
  }
  const masks = found.map(({ mask }) => mask);
  const trueMasks = truth.map(({ mask }) => mask);
  const [union, trueUnion] = [unionOfMasks(masks), unionOfMasks(trueMasks)];
  const sizes = tolerance === undefined ? [] : sizesOf(sample, union, trueUnion);
  return {
    ...shared,
    ...compare(union, trueUnion, tolerance, spacing),
    ...(sizes.length > 0 && { sizes }),
    shown: true,
    falseNegative: false,
    found: foundInstances(found, truth),
    boxIou: Math.max(...truth.map(({ boxXyxyPx }) => boxIou(best.boxXyxyPx, boxXyxyPx))),
    instanceDsc: instanceDsc(masks, trueMasks),
  };
}

function compare(predicted: BinaryMask, truth: BinaryMask, tolerance: number | undefined, spacing: Spacing): MaskScores {
  if (tolerance !== undefined) return maskScores(predicted, truth, tolerance, spacing);
  return { dsc: diceCoefficient(predicted, truth), iou: iou(predicted, truth), hd95: Number.NaN, nsd: Number.NaN };
}

/** Whether a box has a mask. */
export function isMasked(box: AnsweredBox): box is MaskedBox {
  return box.mask !== undefined;
}

function spacingOf({ spacingMm }: Sample, unit: DistanceUnit): Spacing {
  const [x, y] = unit === 'mm' && spacingMm !== undefined ? spacingMm : [1, 1];
  return { x, y };
}
