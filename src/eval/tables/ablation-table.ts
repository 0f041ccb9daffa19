import { publishedAverages } from '../published/figures.js';
import { meanStd } from './figures.js';
import type { MethodSummary } from './score-table.js';
import type { Cell, Table, TableRow } from './table.js';

/** A variant of the method, as in the paper's ablation. */
export interface AblationVariant {
  readonly name: string;
  /** Absent if it could not be run; see the reason. */
  readonly summary?: MethodSummary;
  readonly reason?: string;
}

/** The paper's table 2: contributions of fine-tuning and the masker. */
export function ablationTable(variants: readonly AblationVariant[]): Table {
  const names = [...new Set(variants.flatMap(({ summary }) => Object.keys(summary?.strict.datasets ?? {})))];
  const { dsc, iou } = publishedAverages.ablation;
  return {
    id: 'table-2',
    title: 'Table 2 of the paper, ablation: DSC and IoU in percent, mean ± std',
    columns: ['variant', 'dataset', 'DSC paper', 'IoU paper', 'DSC strict', 'IoU strict', 'n', 'false negatives', 'remark'],
    rows: variants.flatMap(({ name, summary, reason }): TableRow[] => {
      if (summary === undefined)
        return [{ cells: [name, null, null, null, null, null, null, null, `not run: ${reason ?? 'unknown'}`] }];
      const rows = names.map((dataset): TableRow => ({ cells: [name, dataset, ...cellsOf(summary, dataset), null] }));
      const { overall } = summary.strict;
      const mean: TableRow = {
        cells: [
          name,
          'mean of datasets',
          meanStd(summary.paper.overall.dsc, summary.paper.overall.std),
          meanStd(summary.paper.overall.iou, summary.paper.overall.iouStd),
          meanStd(overall.dsc, overall.std),
          meanStd(overall.iou, overall.iouStd),
          overall.n,
          overall.falseNegatives,
          null,
        ],
        total: true,
      };
      return names.length > 1 ? [...rows, mean] : rows;
    }),
    notes: [
      `Published average of the paper’s table 2, over the paper’s datasets: DSC ${dsc.toFixed(2)}, IoU ${iou.toFixed(2)}; it is consistent with the printed rows, which are not repeated here.`,
      'The published MedSAM variant squashes images to squares for the detector as well, turns them by 90° before the masker and takes the first box instead of the best: its figures understate it. None of that is done here.',
    ],
  };
}

function cellsOf({ strict, paper }: MethodSummary, dataset: string): Cell[] {
  const [s, p] = [strict.datasets[dataset], paper.datasets[dataset]];
  if (s === undefined || p === undefined) return [null, null, null, null, null, null];
  return [
    meanStd(p.dsc, p.std),
    meanStd(p.iou, p.iouStd),
    meanStd(s.dsc, s.std),
    meanStd(s.iou, s.iouStd),
    s.n,
    s.falseNegatives,
  ];
}
