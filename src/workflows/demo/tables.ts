import type { Cell, DatasetScore, HeadlineFigure, StructureScore, Table, TableRow } from '../../eval/index.js';
import { figure, meanStd, percentText } from '../../eval/index.js';
import { counted } from '../../util/index.js';
import type { Metrics } from '../metrics-file.js';

/** The demo's part of `metrics.json`; see {@link Metrics}. */
export type DemoMetrics = Required<Pick<Metrics, 'before' | 'after' | 'constantMask' | 'retained' | 'training'>>;

/** The figures above the tables. */
export function headline({ before, after, constantMask }: DemoMetrics): HeadlineFigure[] {
  const { n } = after;
  return [
    {
      label: 'DSC of the constant-mask baseline',
      value: percentText(constantMask.dsc),
      small: 'the best single mask of the training images',
    },
    {
      label: 'DSC before',
      value: percentText(before.dsc),
      small: `${counted(before.falseNegatives, 'false negative')} in ${counted(n, 'image')}`,
    },
    {
      label: 'DSC after',
      value: percentText(after.dsc),
      small: `${counted(after.falseNegatives, 'false negative')} in ${counted(n, 'image')}`,
    },
    { label: 'IoU after', value: percentText(after.iou), small: `before: ${percentText(before.iou)}` },
    {
      label: 'DSC with ground-truth boxes, after',
      value: percentText(after.dscWithGroundTruthBox),
      small: `before: ${percentText(before.dscWithGroundTruthBox)}`,
    },
  ];
}

const FIGURES = ['DSC before', 'DSC after', 'IoU', 'box IoU', 'DSC with ground-truth box', 'false negatives'];

/** The training domain, by structure. */
export function learntTable({ before, after, constantMask }: DemoMetrics): Table {
  const names = Object.keys(after.structures);
  const whole = (name: string) => [name, after.n, figure(constantMask.dsc), ...cells(before, after)];
  const rows = Object.entries(after.structures).map(([name, score]) => ({
    cells: [name, score.n, figure(constantMask.structures[name]), ...cells(before.structures[name], score)],
  }));
  return {
    id: 'demo-learnt',
    title: 'Fine-tuned structures: percent, mean ± population standard deviation over images',
    columns: ['structure', 'images', 'constant mask', ...FIGURES],
    rows: names.length === 1 ? [{ cells: whole(names[0] as string) }] : [...rows, { cells: whole('all images'), total: true }],
    notes: [
      'DSC: overlap of the predicted mask and the ground truth; a false negative counts 0. An image scores the mean over the structures that it shows.',
      'Constant mask: the baseline that predicts one mask for every image, the one that fits the training masks best.',
      'DSC with ground-truth box: the masker is prompted with the ground-truth boxes. The difference from the DSC is due to the detector.',
    ],
  };
}

/** The prior domains, by dataset. */
export function retainedTable({ retained: { before, after } }: DemoMetrics): Table {
  const row = (name: string, b: DatasetScore | undefined, a: DatasetScore, total = false): TableRow => ({
    cells: [name, a.n, ...cells(b, a)],
    total,
  });
  return {
    id: 'demo-retained',
    title: 'Structures known before: percent',
    columns: ['dataset', 'images', ...FIGURES],
    rows: [
      ...Object.entries(after.datasets).map(([name, score]) => row(name, before.datasets[name], score)),
      row('all images', before.pooled, after.pooled, true),
    ],
    notes: ['Images: those that show a structure. Arrows lead from the figure before training to the one after it.'],
  };
}

/** The score of a dataset or of a structure, which has fewer figures. */
type Scores = StructureScore & Partial<Pick<DatasetScore, 'boxIou' | 'dscWithGroundTruthBox'>>;

/** The cells under {@link FIGURES}; those that a structure lacks are empty. */
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
    pair(({ dscWithGroundTruthBox }) => figure(dscWithGroundTruthBox)),
    pair(({ falseNegatives }) => String(falseNegatives)),
  ];
}
