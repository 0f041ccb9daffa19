import { z } from 'zod';
import {
  averagePrecision,
  groupedBootstrapIntervals,
  type ImageBoxes,
  type Interval,
  mean,
  percent,
  percentOrNull,
  populationStd,
  roundedOrNull,
} from '../../metrics/index.js';
import { type DistanceUnit, foldImages, type ImageScore, judgedRows, meansOf, type TargetRow } from '../../protocols/index.js';

/** See {@link Ends}. */
export const endsSchema = z.tuple([z.number(), z.number()]).readonly();

/** Lower and upper bound of a 95 % interval, in percent. */
export type Ends = z.infer<typeof endsSchema>;

/** The bounds in percent; null where there is no interval, as of one group. */
export function endsOf({ low, high }: Interval): Ends | null {
  return Number.isFinite(low) ? [percent(low), percent(high)] : null;
}

/** The score of one structure; see {@link StructureScore}. */
const structureScoreSchema = z
  .strictObject({
    dsc: z.number().nullable(),
    iou: z.number().nullable(),
    std: z.number().nullable(),
    n: z.int(),
    falseNegatives: z.int(),
  })
  .readonly();

/** The scores of one structure, over the images that show it. */
export type StructureScore = z.infer<typeof structureScoreSchema>;

/** Scores of one dataset, or of all images together; see {@link DatasetScore}. */
export const datasetScoreSchema = z
  .strictObject({
    /** Means over images, each the mean over its structures. */
    dsc: z.number().nullable(),
    iou: z.number().nullable(),
    /** Population standard deviation of the DSC over images. */
    std: z.number().nullable(),
    iouStd: z.number().nullable(),
    /** Number of images (items, under the paper's protocol) in the means. */
    n: z.int(),
    /** Number of images evaluated, including those without a structure. */
    images: z.int(),
    /** False negatives. Strict: they count 0. Paper: they are left out of `n`. */
    falseNegatives: z.int(),
    /** Bootstrap intervals of the means, resampled by group; null for fewer than two groups. */
    interval: z.strictObject({ dsc: endsSchema.nullable(), iou: endsSchema.nullable(), groups: z.int() }).readonly(),
    /** Mean 95th percentile of the Hausdorff distance, in `unit`; a false negative counts the image diagonal (strict). */
    hd95: z.number().nullable(),
    nsd: z.number().nullable(),
    unit: z.enum(['mm', 'px', 'mixed']),
    /** Fraction of images with a structure in which something was found. */
    detectionRate: z.number().nullable(),
    /** Fraction of ground-truth instances matched by a box with an IoU of at least 0.5. */
    instanceRecall: z.number().nullable(),
    /** Mean DSC over instances, each matched with one mask. */
    instanceDsc: z.number().nullable(),
    /** Mean over targets: IoU of the best box with its closest ground-truth box. */
    boxIou: z.number().nullable(),
    /** Average precision of boxes at IoU 0.5 to 0.95 as in COCO, and at 0.5. */
    ap: z.number().nullable(),
    ap50: z.number().nullable(),
    /** Mean over targets: DSC of the masker's masks for the ground-truth boxes. */
    dscWithGroundTruthBox: z.number().nullable(),
    /** Number of prompted structures that are absent, and how many of them got a box: the false positives. */
    falsePositives: z.strictObject({ count: z.int(), of: z.int() }).readonly(),
    /** The same means by structure, over the images that show it. */
    structures: z.record(z.string(), structureScoreSchema).readonly(),
  })
  .readonly();

/** Scores of one dataset, or of all images together. Overlaps, rates and precisions are percentages with two decimals. */
export type DatasetScore = z.infer<typeof datasetScoreSchema>;

/** Computes the means over the rows of one method and protocol. @param boxes - for average precision, if boxes have scores. */
export function scoreRows(rows: readonly TargetRow[], boxes: readonly ImageBoxes[], seed: number): DatasetScore {
  const images = foldImages(rows);
  const counted = images.filter(({ counts }) => counts);
  const shown = rows.filter((row) => row.shown);
  const judged = judgedRows(rows);
  const absent = rows.filter((row) => !row.shown);
  const over = (pick: (image: ImageScore) => number) => counted.map(pick);
  const [dsc, iou] = [over((image) => image.dsc), over((image) => image.iou)];
  const groups = counted.map(({ group }) => group);
  const [dscInterval, iouInterval] = groupedBootstrapIntervals([dsc, iou], groups, { seed }).map(endsOf) as [
    Ends | null,
    Ends | null,
  ];
  const precision = boxes.length > 0 ? averagePrecision(boxes) : undefined;
  const units = new Set(rows.map(({ unit }) => unit));
  const means = meansOf(rows);
  const falseNegatives = images.filter((image) => image.falseNegative).length;
  return {
    dsc: percentOrNull(means.dsc),
    iou: percentOrNull(means.iou),
    std: percentOrNull(populationStd(dsc)),
    iouStd: percentOrNull(populationStd(iou)),
    n: counted.length,
    images: new Set(rows.map(({ dataset, image }) => JSON.stringify([dataset, image]))).size,
    falseNegatives,
    interval: { dsc: dscInterval, iou: iouInterval, groups: new Set(groups).size },
    hd95: roundedOrNull(mean(over((image) => image.hd95))),
    nsd: percentOrNull(mean(over((image) => image.nsd))),
    unit: units.size === 1 ? ([...units][0] as DistanceUnit) : 'mixed',
    detectionRate: percentOrNull((images.length - falseNegatives) / images.length),
    instanceRecall: percentOrNull(sum(shown, (row) => row.found) / sum(shown, (row) => row.instances)),
    instanceDsc: percentOrNull(mean(judged.map((row) => row.instanceDsc))),
    boxIou: percentOrNull(means.boxIou),
    ap: percentOrNull(precision?.ap ?? Number.NaN),
    ap50: percentOrNull(precision?.ap50 ?? Number.NaN),
    dscWithGroundTruthBox: percentOrNull(means.dscWithGroundTruthBox),
    falsePositives: { count: absent.filter((row) => row.predicted > 0).length, of: absent.length },
    structures: Object.fromEntries(
      [...new Set(shown.map(({ target }) => target))].sort().map((target) => [target, structureScore(shown, target)]),
    ),
  };
}

function structureScore(shown: readonly TargetRow[], target: string): StructureScore {
  const own = shown.filter((row) => row.target === target);
  const judged = judgedRows(own);
  return {
    dsc: percentOrNull(mean(judged.map((row) => row.dsc))),
    iou: percentOrNull(mean(judged.map((row) => row.iou))),
    std: percentOrNull(populationStd(judged.map((row) => row.dsc))),
    n: judged.length,
    falseNegatives: own.filter((row) => row.falseNegative).length,
  };
}

function sum<T>(items: readonly T[], pick: (item: T) => number): number {
  return items.reduce((total, item) => total + pick(item), 0);
}
