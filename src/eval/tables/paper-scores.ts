import { mean, percent } from '../../metrics/index.js';
import { type PaperDataset, paperDataset, paperDatasets } from '../published/datasets.js';
import { type PublishedScore, publishedAverages, publishedOthers, publishedOurs } from '../published/figures.js';
import type { DatasetScore } from '../summary/dataset-score.js';
import { meanOf } from '../summary/protocol-summary.js';
import { meanStd } from './figures.js';
import { gridNote, type MethodSummary, methodNotes, RANDOM, SEEN_NOTE, seenCell } from './score-table.js';
import type { Cell, Table, TableRow } from './table.js';

/** Reason for a row without our score. */
const ABSENT = 'not evaluated: no images';

/** The paper's own method, as printed. */
const PUBLISHED = 'published';

const COLUMNS = [
  'dataset',
  'method',
  'DSC paper',
  'IoU paper',
  'DSC strict',
  'IoU strict',
  'n',
  'false negatives',
  'given',
  'seen in pre-training',
  'remark',
];

/** The paper's table 3 (datasets used for training) or 4 (unseen datasets): for each dataset a row of each method. */
export function paperScoreTable(
  number: 3 | 4,
  summaries: readonly MethodSummary[],
  grid: 'image' | 'prediction' = 'image',
): Table {
  const seen = number === 3;
  const datasets = paperDatasets.filter((dataset) => dataset.seen === seen);
  const organs = [...new Set(datasets.map(({ organ }) => organ))];
  const errors = datasets.flatMap(({ name }) => {
    const { error } = publishedOurs[name] ?? {};
    return error === undefined ? [] : [`† ${name}: ${error}.`];
  });
  const average: PublishedScore = seen ? publishedAverages.seen : publishedAverages.unseen;
  const rows = organs.flatMap((organ): TableRow[] => {
    const own = datasets.filter((dataset) => dataset.organ === organ);
    const lines = own.flatMap((dataset) => datasetRows(dataset, summaries));
    return own.length > 1 ? [...lines, ...meanRows(`mean of ${organ}`, own, summaries, organMean(own))] : lines;
  });
  const others = otherDatasets(summaries).flatMap((name): TableRow[] =>
    summaries.map((summary) => ({ cells: methodCells(name, summary, name, 'not one of the paper’s datasets') })),
  );
  const printed: Printed = [`${average.dsc.toFixed(2)}†`, `${(average.iou ?? 0).toFixed(2)}†`];
  return {
    id: `table-${number}`,
    title: `Table ${number} of the paper, ${seen ? 'seen' : 'unseen'} datasets: DSC and IoU in percent, mean ± std`,
    columns: COLUMNS,
    rows: [...rows, ...meanRows('mean of datasets', datasets, summaries, printed), ...others],
    notes: [
      gridNote(grid),
      SEEN_NOTE,
      ...methodNotes(summaries),
      'Published: the paper’s own method. Means are unweighted means of the rows of datasets; ours cover the evaluated datasets, and published means of organs are computed here from the printed rows.',
      `† Printed mean of datasets: ${average.error ?? 'consistent'}.`,
      ...errors,
      ...publishedOthers
        .filter(({ dataset }) => datasets.some(({ name }) => name === dataset))
        .map(({ dataset, method, dsc }) => `${dataset}: the paper’s own table gives ${method} a higher DSC, ${dsc.toFixed(2)}.`),
      'Ours covers the images in the dataset folders, which are the paper’s test images only where its split was reproduced.',
      'Paper: the true class as prompt, the best box of an image, images without a detection excluded. Strict: one prompt per dataset, every instance counts, a false negative counts 0.',
    ],
  };
}

/** DSC and IoU as printed. */
type Printed = readonly [dsc: Cell, iou: Cell];

function publishedCells(dataset: string, [dsc, iou]: Printed, remark: Cell): Cell[] {
  return [dataset, PUBLISHED, dsc, iou, null, null, null, null, 'text', null, remark];
}

/** The published row of a dataset, and that of each method that has a score for it. */
function datasetRows(dataset: PaperDataset, summaries: readonly MethodSummary[]): TableRow[] {
  const published = publishedOurs[dataset.name];
  const mark = published?.error === undefined ? '' : '†';
  const printed: Printed = [
    published === undefined ? null : `${published.dsc.toFixed(2)} ± ${published.dscStd ?? ''}${mark}`,
    published?.iou === undefined ? null : `${published.iou.toFixed(2)} ± ${published.iouStd ?? ''}${mark}`,
  ];
  const own = summaries.flatMap((summary): TableRow[] => {
    const name = nameOf(summary, dataset);
    return name === undefined ? [] : [{ cells: methodCells(dataset.name, summary, name, null) }];
  });
  return [{ cells: publishedCells(dataset.name, printed, own.length === 0 ? ABSENT : null) }, ...own];
}

/** The row of a method on a dataset, which the data calls `name`. */
function methodCells(dataset: string, summary: MethodSummary, name: string, remark: Cell): Cell[] {
  const { method, given = 'unknown' } = summary;
  return [dataset, method, ...scoresOf(summary, name), given, seenCell(summary, name), remark];
}

type PrintedScore = Pick<DatasetScore, 'dsc' | 'std' | 'iou' | 'iouStd' | 'n' | 'falseNegatives'>;

function nameOf({ strict }: MethodSummary, dataset: PaperDataset): string | undefined {
  return Object.keys(strict.datasets).find((one) => paperDataset(one) === dataset);
}

function scoresOf({ strict, paper, untrained }: MethodSummary, name: string): Cell[] {
  if (untrained !== undefined) return [RANDOM, null, RANDOM, null, untrained[name] ?? 0, null];
  const [byPaper, strictly] = [paper.datasets[name], strict.datasets[name]];
  return byPaper === undefined || strictly === undefined ? [null, null, null, null, null, null] : scoreCells(byPaper, strictly);
}

function scoreCells(paper: PrintedScore, strict: PrintedScore): Cell[] {
  return [
    meanStd(paper.dsc, paper.std),
    meanStd(paper.iou, paper.iouStd),
    meanStd(strict.dsc, strict.std),
    meanStd(strict.iou, strict.iouStd),
    strict.n,
    strict.falseNegatives,
  ];
}

/** The published mean, and that of each method that is trained and has a score for one of the datasets. */
function meanRows(
  title: string,
  datasets: readonly PaperDataset[],
  summaries: readonly MethodSummary[],
  printed: Printed,
): TableRow[] {
  const own = summaries.flatMap(({ method, given = 'unknown', strict, paper, untrained }): TableRow[] => {
    const found = Object.keys(strict.datasets).filter((name) => datasets.some((dataset) => paperDataset(name) === dataset));
    const both = found.map((name) => [paper.datasets[name], strict.datasets[name]] as const);
    const scored = both.filter((pair): pair is readonly [DatasetScore, DatasetScore] => !pair.includes(undefined));
    if (untrained !== undefined || scored.length === 0) return [];
    const [byPaper, strictly] = [meanOf(scored.map(([one]) => one)), meanOf(scored.map(([, one]) => one))];
    const remark = `${scored.length} of ${datasets.length} datasets`;
    return [{ cells: [title, method, ...scoreCells(byPaper, strictly), given, null, remark], total: true }];
  });
  return [{ cells: publishedCells(title, printed, `${datasets.length} of ${datasets.length} datasets`), total: true }, ...own];
}

/** Mean of the printed rows of an organ. */
function organMean(datasets: readonly PaperDataset[]): Printed {
  const over = (pick: (score: PublishedScore) => number) => {
    const values = datasets.map(({ name }) => pick(publishedOurs[name] as PublishedScore));
    return percent(mean(values) / 100).toFixed(2);
  };
  return [over(({ dsc }) => dsc), over(({ iou }) => iou ?? Number.NaN)];
}

/** Datasets that are not in the paper. */
function otherDatasets(summaries: readonly MethodSummary[]): string[] {
  const names = summaries.flatMap(({ strict }) => Object.keys(strict.datasets));
  return [...new Set(names)].filter((name) => paperDataset(name) === undefined);
}
