import type { Cell, DatasetScore, HeadlineFigure, StructureScore, Table, TableRow } from '../../eval/index.js';
import { figure, meanStd, percentText } from '../../eval/index.js';
import type { Metrics } from '../metrics-file.js';

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

const FIGURES = ['DSC before', 'DSC after', 'IoU', 'box IoU', 'DSC given true box', 'missed'];

/** What is taught, by structure. */
export function learntTable({ before, after, constantMask }: DemoMetrics): Table {
  const names = Object.keys(after.structures);
  const whole = (name: string) => [name, after.n, figure(constantMask.dsc), ...cells(before, after)];
  const rows = Object.entries(after.structures).map(([name, score]) => ({
    cells: [name, score.n, figure(constantMask.structures[name]), ...cells(before.structures[name], score)],
  }));
  return {
    id: 'demo-learnt',
    title: 'What was taught: percent, mean ± population standard deviation over images',
    columns: ['structure', 'images', 'one mask', ...FIGURES],
    rows: names.length === 1 ? [{ cells: whole(names[0] as string) }] : [...rows, { cells: whole('all images'), total: true }],
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
    columns: ['dataset', 'images', ...FIGURES],
    rows: [
      ...Object.entries(after.datasets).map(([name, score]) => row(name, before.datasets[name], score)),
      row('all images', before.pooled, after.pooled, true),
    ],
    notes: ['Images: those that show something. An arrow stands between a figure before training and after it.'],
  };
}

/** The score of a dataset or of a structure, which has fewer figures. */
type Scores = StructureScore & Partial<Pick<DatasetScore, 'boxIou' | 'dscGivenTrueBox'>>;

/** The cells under {@link FIGURES}; those that a structure has not are empty. */
function cells(before: Scores | undefined, after: Scores): Cell[] {
  const pair = (pick: (score: Scores) => string | null) => {
    const [from, to] = [before === undefined ? null : pick(before), pick(after)];
    return from === null && to === null ? null : `${from ?? '–'} → ${to ?? '–'}`;
  };
  return [
    meanStd(before?.dsc, before?.std),
    meanStd(after.dsc, after.std),
    pair(({ iou }) => figure(iou)),
    pair(({ boxIou }) => figure(boxIou)),
    pair(({ dscGivenTrueBox }) => figure(dscGivenTrueBox)),
    pair(({ missed }) => String(missed)),
  ];
}
