import type { Metrics } from '../metrics-file.js';
import type { HeadlineFigure } from '../page/evaluation-page.js';
import type { DatasetScore, StructureScore } from '../summary/dataset-score.js';
import { figure, meanStd, percentText } from '../tables/figures.js';
import type { Cell, Table, TableRow } from '../tables/table.js';

/** What the demo puts into `metrics.json`; see {@link Metrics}. */
export type DemoMetrics = Required<Pick<Metrics, 'before' | 'after' | 'constantMask' | 'retained' | 'training'>>;

/** The figures above the tables. */
export function headline({ before, after, constantMask }: DemoMetrics): HeadlineFigure[] {
  const { n } = after;
  return [
    { label: 'DSC of one mask for all images', value: percentText(constantMask.dsc), small: 'the best that training allows' },
    { label: 'DSC before', value: percentText(before.dsc), small: `${before.missed} of ${n} images missed` },
    { label: 'DSC after', value: percentText(after.dsc), small: `${after.missed} of ${n} images missed` },
    { label: 'IoU after', value: percentText(after.iou), small: `before: ${percentText(before.iou)}` },
    {
      label: 'DSC given the true boxes, after',
      value: percentText(after.dscGivenTrueBox),
      small: `before: ${percentText(before.dscGivenTrueBox)}`,
    },
  ];
}

const PAIRS = ['IoU', 'box IoU', 'DSC given true box', 'missed'].flatMap((name) => [`${name} before`, 'after']);

/** What is taught, by structure. */
export function learntTable({ before, after, constantMask }: DemoMetrics): Table {
  const rows = Object.entries(after.structures).map(([name, score]) => ({
    cells: [name, score.n, figure(constantMask.structures[name]), ...cells(before.structures[name], score)],
  }));
  return {
    id: 'demo-learnt',
    title: 'What was taught: percent, mean ± population standard deviation over images',
    columns: ['structure', 'images', 'one mask', 'DSC before', 'after', ...PAIRS],
    rows: [...rows, { cells: ['all images', after.n, figure(constantMask.dsc), ...cells(before, after)], total: true }],
    notes: [
      'DSC: overlap of the predicted and the true mask; what was missed counts 0. An image is the mean over what it shows.',
      'One mask: the same in every image, the best one that the training masks allow.',
      'DSC given true box: when the masker is given the true boxes. What lies between it and the DSC is the detector’s loss.',
    ],
  };
}

/** What was known before, by dataset. */
export function retainedTable({ retained: { before, after } }: DemoMetrics): Table {
  const row = (name: string, b: DatasetScore | undefined, a: DatasetScore, total = false): TableRow => ({
    cells: [name, a.n, ...cells(b, a)],
    total,
  });
  return {
    id: 'demo-retained',
    title: 'What the models could do before: percent',
    columns: ['dataset', 'images', 'DSC before', 'after', ...PAIRS],
    rows: [
      ...Object.entries(after.datasets).map(([name, score]) => row(name, before.datasets[name], score)),
      row('all images', before.pooled, after.pooled, true),
    ],
    notes: [],
  };
}

/** The score of a dataset or of a structure, which has fewer figures. */
type Scores = StructureScore & Partial<Pick<DatasetScore, 'boxIou' | 'dscGivenTrueBox'>>;

/** Pairs of a figure before and after training, the DSC first; those that a structure has not are empty. */
function cells(before: Scores | undefined, after: Scores): Cell[] {
  const both = [before, after];
  return [
    both.map((score) => meanStd(score?.dsc, score?.std)),
    both.map((score) => figure(score?.iou)),
    both.map((score) => figure(score?.boxIou)),
    both.map((score) => figure(score?.dscGivenTrueBox)),
    both.map((score) => score?.missed ?? null),
  ].flat();
}
