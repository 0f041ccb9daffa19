import { organOf } from '../published/datasets.js';
import type { DatasetScore } from '../summary/dataset-score.js';
import type { MeanOfDatasets, ProtocolSummary } from '../summary/protocol-summary.js';
import { between, figure, meanStd } from './figures.js';
import type { Cell, Table, TableRow } from './table.js';

/** One method under both protocols. */
export interface MethodSummary {
  readonly method: string;
  readonly strict: ProtocolSummary;
  readonly paper: ProtocolSummary;
}

const COLUMNS = [
  'method',
  'dataset',
  'DSC strict',
  '95 % interval',
  'IoU strict',
  'HD95',
  'NSD',
  'AP',
  'AP50',
  'found %',
  'n',
  'false negatives',
  'DSC paper',
  'IoU paper',
  'n paper',
];

/** The protocols side by side: a row per dataset, then organs, the mean of datasets and all images pooled. */
export function scoreTable(summaries: readonly MethodSummary[], tolerance: { readonly mm: number; readonly px: number }): Table {
  const several = summaries.length > 1;
  return {
    id: 'scores',
    title: 'DSC and IoU in percent, mean ± population standard deviation over images',
    columns: several ? COLUMNS : COLUMNS.slice(1),
    rows: summaries.flatMap((summary) =>
      rowsOf(summary).map(({ cells, ...rest }) => ({ ...rest, cells: several ? [summary.method, ...cells] : cells })),
    ),
    notes: [
      'Strict: one prompt per dataset, every instance counts, a false negative counts 0. Paper: the true class as prompt, the best box of an image, images without a detection excluded.',
      'Organs and “mean of datasets” are unweighted means of the rows of datasets, including standard deviations; “all images” weights every image equally.',
      `HD95 is in the unit given, mm where the pixel size of all images of a dataset is known; a false negative counts the diagonal of the image. NSD: share of the boundaries within ${tolerance.mm} mm or ${tolerance.px} px.`,
      'AP: boxes, over IoU 0.5 to 0.95 as in COCO. Found: share of images showing a structure in which something was found. Interval: bootstrap over patients where they are known, otherwise over images.',
    ],
  };
}

function rowsOf({ strict, paper }: MethodSummary): TableRow[] {
  const names = Object.keys(strict.datasets);
  const organs = Object.keys(strict.organs);
  const rows: TableRow[] = [];
  for (const organ of organs) {
    const own = names.filter((name) => organOf(name) === organ);
    for (const name of own) rows.push({ cells: full(name, strict.datasets[name], paper.datasets[name]) });
    if (organs.length > 1 && own.length > 1)
      rows.push({ cells: mean(`mean of ${organ}`, strict.organs[organ], paper.organs[organ]), total: true });
  }
  if (names.length > 1) rows.push({ cells: mean('mean of datasets', strict.overall, paper.overall), total: true });
  if (names.length > 1) rows.push({ cells: full('all images', strict.pooled, paper.pooled), total: true });
  return rows;
}

function full(name: string, strict: DatasetScore | undefined, paper: DatasetScore | undefined): Cell[] {
  if (strict === undefined || paper === undefined) return [name];
  return [
    name,
    meanStd(strict.dsc, strict.std),
    between(strict.interval.dsc),
    meanStd(strict.iou, strict.iouStd),
    strict.hd95 === null ? null : `${strict.hd95.toFixed(2)} ${strict.unit}`,
    figure(strict.nsd),
    figure(strict.ap),
    figure(strict.ap50),
    figure(strict.detectionRate),
    strict.n,
    strict.falseNegatives,
    meanStd(paper.dsc, paper.std),
    meanStd(paper.iou, paper.iouStd),
    paper.n,
  ];
}

function mean(name: string, strict: MeanOfDatasets | undefined, paper: MeanOfDatasets | undefined): Cell[] {
  if (strict === undefined || paper === undefined) return [name];
  return [
    name,
    meanStd(strict.dsc, strict.std),
    null,
    meanStd(strict.iou, strict.iouStd),
    null,
    null,
    null,
    null,
    null,
    strict.n,
    strict.falseNegatives,
    meanStd(paper.dsc, paper.std),
    meanStd(paper.iou, paper.iouStd),
    paper.n,
  ];
}
