import { type ImageBoxes, mean } from '../../metrics/index.js';
import type { ProtocolName, TargetRow } from '../protocols/row.js';
import { organOf } from '../published/datasets.js';
import { type DatasetScore, scoreRows } from './dataset-score.js';

/** Unweighted mean of the rows of some datasets, as in the paper's tables: a small set weighs as much as a large one. */
export interface MeanOfDatasets {
  readonly dsc: number | null;
  readonly iou: number | null;
  /** Mean of the datasets' standard deviations. */
  readonly std: number | null;
  readonly iouStd: number | null;
  readonly datasets: number;
  /** Images of all of them. */
  readonly n: number;
  readonly missed: number;
}

/** One protocol's figures of one method. */
export interface ProtocolSummary {
  readonly datasets: Readonly<Record<string, DatasetScore>>;
  /** Unweighted means over the datasets of an organ. */
  readonly organs: Readonly<Record<string, MeanOfDatasets>>;
  readonly overall: MeanOfDatasets;
  /** All images of all datasets together, each weighing the same. */
  readonly pooled: DatasetScore;
}

/** The boxes of a strict evaluation, by dataset. */
export type BoxesByDataset = ReadonlyMap<string, readonly ImageBoxes[]>;

/** Sums up the rows of one method. @param names - datasets in the order of the tables, those without a row too. */
export function summariseProtocol(
  rows: readonly TargetRow[],
  boxes: BoxesByDataset,
  { protocol, names, seed }: { readonly protocol: ProtocolName; readonly names: readonly string[]; readonly seed: number },
): ProtocolSummary {
  const own = rows.filter((row) => row.protocol === protocol);
  const boxesOf = (name: string) => (protocol === 'strict' ? (boxes.get(name) ?? []) : []);
  const datasets = Object.fromEntries(
    names.map((name) => [
      name,
      scoreRows(
        own.filter(({ dataset }) => dataset === name),
        boxesOf(name),
        seed,
      ),
    ]),
  );
  const organs = [...new Set(names.map(organOf))];
  return {
    datasets,
    organs: Object.fromEntries(
      organs.map((organ) => [
        organ,
        meanOf(names.filter((name) => organOf(name) === organ).map((name) => datasets[name] as DatasetScore)),
      ]),
    ),
    overall: meanOf(Object.values(datasets)),
    pooled: scoreRows(own, names.flatMap(boxesOf), seed),
  };
}

/** Datasets in which nothing was found at all have no mean under the paper's protocol and are left out. */
export function meanOf(scores: readonly DatasetScore[]): MeanOfDatasets {
  const known = scores.filter(({ dsc }) => dsc !== null);
  const over = (pick: (score: DatasetScore) => number | null) => {
    const value = mean(known.map((score) => pick(score) as number));
    return Number.isFinite(value) ? Math.round(value * 100) / 100 : null;
  };
  const sum = (pick: (score: DatasetScore) => number) => scores.reduce((total, score) => total + pick(score), 0);
  return {
    dsc: over(({ dsc }) => dsc),
    iou: over(({ iou }) => iou),
    std: over(({ std }) => std),
    iouStd: over(({ iouStd }) => iouStd),
    datasets: known.length,
    n: sum(({ n }) => n),
    missed: sum(({ missed }) => missed),
  };
}
