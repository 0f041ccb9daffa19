import { z } from 'zod';
import { type ImageBoxes, mean, roundedOrNull } from '../../metrics/index.js';
import type { ProtocolName, TargetRow } from '../../protocols/index.js';
import { organOf } from '../published/datasets.js';
import { type DatasetScore, datasetScoreSchema, scoreRows } from './dataset-score.js';

/** See {@link MeanOfDatasets}. */
const meanOfDatasetsSchema = z
  .strictObject({
    dsc: z.number().nullable(),
    iou: z.number().nullable(),
    /** Mean of the datasets' standard deviations. */
    std: z.number().nullable(),
    iouStd: z.number().nullable(),
    datasets: z.int(),
    /** Total number of images. */
    n: z.int(),
    falseNegatives: z.int(),
  })
  .readonly();

/** Unweighted mean over datasets, as in the paper's tables: small and large sets weigh the same. */
export type MeanOfDatasets = z.infer<typeof meanOfDatasetsSchema>;

/** See {@link ProtocolSummary}. */
export const protocolSummarySchema = z
  .strictObject({
    datasets: z.record(z.string(), datasetScoreSchema).readonly(),
    /** Unweighted means over the datasets of an organ. */
    organs: z.record(z.string(), meanOfDatasetsSchema).readonly(),
    overall: meanOfDatasetsSchema,
    /** All images of all datasets together, equally weighted. */
    pooled: datasetScoreSchema,
  })
  .readonly();

/** One method's figures under one protocol. */
export type ProtocolSummary = z.infer<typeof protocolSummarySchema>;

/** The boxes of a strict evaluation, by dataset. */
export type BoxesByDataset = ReadonlyMap<string, readonly ImageBoxes[]>;

/** Summarises the rows of one method. @param names - datasets in the order of the tables, including those without a row. */
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

/** Under the paper's protocol, datasets without any detection have no mean and are left out. */
export function meanOf(scores: readonly DatasetScore[]): MeanOfDatasets {
  const known = scores.filter(({ dsc }) => dsc !== null);
  const over = (pick: (score: DatasetScore) => number | null) => roundedOrNull(mean(known.map((score) => pick(score) as number)));
  const sum = (pick: (score: DatasetScore) => number) => scores.reduce((total, score) => total + pick(score), 0);
  return {
    dsc: over(({ dsc }) => dsc),
    iou: over(({ iou }) => iou),
    std: over(({ std }) => std),
    iouStd: over(({ iouStd }) => iouStd),
    datasets: known.length,
    n: sum(({ n }) => n),
    falseNegatives: sum(({ falseNegatives }) => falseNegatives),
  };
}
