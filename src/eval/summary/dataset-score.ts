import { averagePrecision, groupedBootstrapInterval, type ImageBoxes, mean, populationStd } from '../../metrics/index.js';
import type { DistanceUnit, TargetRow } from '../protocols/row.js';
import { foldImages, type ImageScore } from './image-score.js';

/** Low and high end of a 95 % interval. */
export type Ends = readonly [low: number, high: number];

/** Scores of one dataset, or of all images together. Overlaps, rates and precisions are percentages with two decimals. */
export interface DatasetScore {
  readonly dsc: number | null;
  readonly iou: number | null;
  /** Population standard deviation of the DSC over images. */
  readonly std: number | null;
  readonly iouStd: number | null;
  /** Images (items, under the paper's protocol) that the means are taken over. */
  readonly n: number;
  /** Images that show something in which nothing was found. Strict: they count 0. Paper: they are left out of `n`. */
  readonly missed: number;
  /** Bootstrap intervals of the means; whole groups are drawn. */
  readonly interval: { readonly dsc: Ends | null; readonly iou: Ends | null; readonly groups: number };
  /** Mean 95th percentile of the Hausdorff distance, in `unit`; a missed image counts its diagonal (strict). */
  readonly hd95: number | null;
  readonly nsd: number | null;
  readonly unit: DistanceUnit | 'mixed';
  /** Share of images that show something in which something was found. */
  readonly detectionRate: number | null;
  /** Share of true instances that a box overlaps by half. */
  readonly instanceRecall: number | null;
  /** Mean DSC over instances, each paired with one mask. */
  readonly instanceDsc: number | null;
  readonly boxIou: number | null;
  /** Average precision of boxes over IoU 0.5 to 0.95 as in COCO, and at 0.5. */
  readonly ap: number | null;
  readonly ap50: number | null;
  readonly dscGivenTrueBox: number | null;
  /** Things that were asked for in images that do not show them, and how many of those got a box all the same. */
  readonly falseAlarms: { readonly count: number; readonly of: number };
  /** The same means over the images that show a thing. */
  readonly structures: Readonly<Record<string, StructureScore>>;
}

/** The scores of one kind of object. */
export interface StructureScore {
  readonly dsc: number | null;
  readonly iou: number | null;
  readonly std: number | null;
  readonly n: number;
  readonly missed: number;
}

/** Means over the rows of one method and one protocol. @param boxes - for the average precision, where boxes have scores. */
export function scoreRows(rows: readonly TargetRow[], boxes: readonly ImageBoxes[], seed: number): DatasetScore {
  const images = foldImages(rows);
  const counted = images.filter(({ counts }) => counts);
  const shown = rows.filter((row) => row.shown);
  const judged = shown.filter((row) => row.protocol === 'strict' || !row.missed);
  const absent = rows.filter((row) => !row.shown);
  const over = (pick: (image: ImageScore) => number) => counted.map(pick);
  const [dsc, iou] = [over((image) => image.dsc), over((image) => image.iou)];
  const groups = counted.map(({ group }) => group);
  const ends = (values: number[]): Ends | null => {
    const { low, high } = groupedBootstrapInterval(values, groups, { seed });
    return Number.isFinite(low) ? [percent(low) as number, percent(high) as number] : null;
  };
  const precision = boxes.length > 0 ? averagePrecision(boxes) : undefined;
  const units = new Set(rows.map(({ unit }) => unit));
  const given = shown.flatMap(({ dscGivenTrueBox }) => (dscGivenTrueBox === undefined ? [] : [dscGivenTrueBox]));
  const missed = images.filter((image) => image.missed).length;
  return {
    dsc: percent(mean(dsc)),
    iou: percent(mean(iou)),
    std: percent(populationStd(dsc)),
    iouStd: percent(populationStd(iou)),
    n: counted.length,
    missed,
    interval: { dsc: ends(dsc), iou: ends(iou), groups: new Set(groups).size },
    hd95: rounded(mean(over((image) => image.hd95))),
    nsd: percent(mean(over((image) => image.nsd))),
    unit: units.size === 1 ? ([...units][0] as DistanceUnit) : 'mixed',
    detectionRate: percent((images.length - missed) / images.length),
    instanceRecall: percent(sum(shown, (row) => row.found) / sum(shown, (row) => row.instances)),
    instanceDsc: percent(mean(judged.map((row) => row.instanceDsc))),
    boxIou: percent(mean(judged.map((row) => row.boxIou))),
    ap: percent(precision?.ap ?? Number.NaN),
    ap50: percent(precision?.ap50 ?? Number.NaN),
    dscGivenTrueBox: percent(mean(given)),
    falseAlarms: { count: absent.filter((row) => row.predicted > 0).length, of: absent.length },
    structures: Object.fromEntries(
      [...new Set(shown.map(({ target }) => target))].sort().map((target) => [target, structureScore(shown, target)]),
    ),
  };
}

function structureScore(shown: readonly TargetRow[], target: string): StructureScore {
  const own = shown.filter((row) => row.target === target);
  const judged = own.filter((row) => row.protocol === 'strict' || !row.missed);
  return {
    dsc: percent(mean(judged.map((row) => row.dsc))),
    iou: percent(mean(judged.map((row) => row.iou))),
    std: percent(populationStd(judged.map((row) => row.dsc))),
    n: judged.length,
    missed: own.filter((row) => row.missed).length,
  };
}

function sum<T>(items: readonly T[], pick: (item: T) => number): number {
  return items.reduce((total, item) => total + pick(item), 0);
}

/** Percent with two decimals; nothing where there is no number. */
export function percent(fraction: number): number | null {
  return Number.isFinite(fraction) ? Math.round(fraction * 1e4) / 100 : null;
}

function rounded(value: number): number | null {
  return Number.isFinite(value) ? Math.round(value * 100) / 100 : null;
}
