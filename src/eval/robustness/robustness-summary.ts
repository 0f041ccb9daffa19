import { z } from 'zod';
import { mean, percentOrNull, populationStd, roundedOrNull } from '../../metrics/index.js';
import type { Table, TableRow } from '../tables/table.js';
import type { WordingRow } from './wording-rows.js';

/** See {@link WordingScore}. */
const wordingScoreSchema = z
  .strictObject({
    wording: z.string(),
    dsc: z.number().nullable(),
    std: z.number().nullable(),
    iou: z.number().nullable(),
    n: z.int(),
    falseNegatives: z.int(),
    /** The paper's protocol: false negatives left out, only the best box. */
    paper: z
      .strictObject({
        dsc: z.number().nullable(),
        std: z.number().nullable(),
        iou: z.number().nullable(),
        iouStd: z.number().nullable(),
        n: z.int(),
      })
      .readonly(),
  })
  .readonly();

/** Scores of a structure under one wording. Percent. */
export type WordingScore = z.infer<typeof wordingScoreSchema>;

/** See {@link StructureRobustness}. */
export const robustnessSchema = z
  .strictObject({
    dataset: z.string(),
    structure: z.string(),
    wordings: z.array(wordingScoreSchema).readonly(),
    /** Best minus worst mean DSC, and the standard deviation of the means. */
    spread: z.number().nullable(),
    std: z.number().nullable(),
    /** Mean DSC between masks from different wordings for the same image: 100 means that wording does not matter. */
    consistency: z.number().nullable(),
  })
  .readonly();

/** Sensitivity of a structure's scores to wording. Percent. */
export type StructureRobustness = z.infer<typeof robustnessSchema>;

/** Summarises by dataset and structure. */
export function summariseRobustness(rows: readonly WordingRow[]): StructureRobustness[] {
  const keys = [...new Set(rows.map(({ dataset, structure }) => JSON.stringify([dataset, structure])))];
  return keys.map((key) => {
    const [dataset, structure] = JSON.parse(key) as [string, string];
    const own = rows.filter((row) => row.dataset === dataset && row.structure === structure);
    const wordings = [...new Set(own.map(({ wording }) => wording))].map((wording) => {
      return scoreOf(
        wording,
        own.filter((row) => row.wording === wording),
      );
    });
    const means = wordings.map(({ dsc }) => dsc).filter((dsc) => dsc !== null);
    return {
      dataset,
      structure,
      wordings,
      spread: roundedOrNull(Math.max(...means) - Math.min(...means)),
      std: roundedOrNull(populationStd(means)),
      consistency: percentOrNull(mean(own.map(({ agreement }) => agreement))),
    };
  });
}

function scoreOf(wording: string, rows: readonly WordingRow[]): WordingScore {
  const dsc = rows.map((row) => row.dsc);
  const paper = rows.flatMap((row) => (row.paper === undefined ? [] : [row.paper]));
  return {
    wording,
    dsc: percentOrNull(mean(dsc)),
    std: percentOrNull(populationStd(dsc)),
    iou: percentOrNull(mean(rows.map((row) => row.iou))),
    n: rows.length,
    falseNegatives: rows.filter(({ falseNegative }) => falseNegative).length,
    paper: {
      dsc: percentOrNull(mean(paper.map((one) => one.dsc))),
      std: percentOrNull(populationStd(paper.map((one) => one.dsc))),
      iou: percentOrNull(mean(paper.map((one) => one.iou))),
      iouStd: percentOrNull(populationStd(paper.map((one) => one.iou))),
      n: paper.length,
    },
  };
}

/** One line per wording, and one per structure with its spread and consistency. */
export function robustnessTable(structures: readonly StructureRobustness[]): Table {
  const figure = (value: number | null) => (value === null ? null : value.toFixed(2));
  const rows = structures.flatMap(({ dataset, structure, wordings, spread, std, consistency }): TableRow[] => [
    ...wordings.map(({ wording, dsc, iou, std: deviation, n, falseNegatives }) => ({
      cells: [
        dataset,
        structure,
        wording,
        `${figure(dsc) ?? ''} ± ${figure(deviation) ?? ''}`,
        figure(iou),
        n,
        falseNegatives,
        null,
        null,
      ],
    })),
    {
      cells: [
        dataset,
        structure,
        `all (std of means ${figure(std)})`,
        null,
        null,
        null,
        null,
        figure(spread),
        figure(consistency),
      ],
      total: true,
    },
  ]);
  return {
    id: 'wordings',
    title: 'The same images with several wordings (percent; false negatives count 0)',
    columns: ['dataset', 'structure', 'wording', 'DSC', 'IoU', 'n', 'false negatives', 'spread', 'consistency'],
    rows,
    notes: [
      'Spread: best minus worst mean DSC. Consistency: mean DSC between the masks of different wordings for the same image; 100 means that the wording makes no difference.',
      'Each wording is prompted alone.',
    ],
  };
}
