import { type Agreement, agreementOf } from '../../metrics/index.js';
import { type MeasureName, measureNames, type SizePair, type TargetRow } from '../../protocols/index.js';
import type { Table } from '../tables/table.js';

/** The sizes of one structure's masks in a dataset, and how well they agree with the truth. */
export interface MeasureGroup {
  readonly dataset: string;
  readonly measure: MeasureName;
  readonly pairs: readonly SizePair[];
  readonly agreement: Agreement;
}

/** Groups the sizes in strict rows by dataset and measure; empty where no image has a scale. */
export function groupSizes(rows: readonly TargetRow[]): MeasureGroup[] {
  const datasets = [...new Set(rows.map(({ dataset }) => dataset))];
  return datasets.flatMap((dataset) => {
    const all = rows.flatMap((row) => (row.dataset === dataset ? (row.sizes ?? []) : []));
    return measureNames.flatMap((measure) => {
      const pairs = all.filter((pair) => pair.measure === measure);
      return pairs.length === 0 ? [] : [{ dataset, measure, pairs, agreement: agreementOf(pairs) }];
    });
  });
}

/** Unit of a measure. */
export function unitOf(measure: MeasureName): string {
  return measure === 'area' ? 'mm²' : 'mm';
}

/** The table of all measures. */
export function measureTable(groups: readonly MeasureGroup[]): Table {
  return {
    id: 'measures',
    title: 'Measures of the predicted masks against those of the ground truth',
    columns: ['dataset', 'measure', 'unit', 'n', 'mean error', 'bias', 'limits of agreement'],
    rows: groups.map(({ dataset, measure, agreement: { n, meanError, bias, limits } }) => ({
      cells: [
        dataset,
        measure,
        unitOf(measure),
        n,
        meanError.toFixed(2),
        bias.toFixed(2),
        n < 2 ? null : `${limits[0].toFixed(2)} to ${limits[1].toFixed(2)}`,
      ],
    })),
    notes: [
      'Mean error: mean of the absolute differences. Bias: mean of predicted minus true. Limits of agreement: bias ± 1.96 standard deviations of the differences (Bland and Altman).',
      'Over the targets that are present, were found and have a scale; false negatives have no size. Each mask by its largest connected part.',
    ],
  };
}
