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

/** The paper's table 3 (datasets used for training) or 4 (unseen datasets). */
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
    const lines = own.map((dataset): TableRow => ({ cells: datasetCells(dataset, summaries) }));
    const total = { cells: meanCells(`mean of ${organ}`, own, summaries, organMean(own)), total: true };
    return own.length > 1 ? [...lines, total] : lines;
  });
  const others = otherDatasets(summaries).map((name): TableRow => ({ cells: foreignCells(name, summaries) }));
  return {
    id: `table-${number}`,
    title: `Table ${number} of the paper, ${seen ? 'seen' : 'unseen'} datasets: DSC and IoU in percent, mean ± std`,
    columns: [
      'dataset',
      'published DSC',
      'published IoU',
      ...summaries.flatMap(({ method }) => [
        `${method}: DSC paper`,
        'IoU paper',
        'DSC strict',
        'IoU strict',
        'n',
        'false negatives',
        'seen in pre-training',
      ]),
      'remark',
    ],
    rows: [
      ...rows,
      {
        cells: meanCells('mean of datasets', datasets, summaries, [
          `${average.dsc.toFixed(2)}†`,
          `${(average.iou ?? 0).toFixed(2)}†`,
        ]),
        total: true,
      },
      ...others,
    ],
    notes: [
      ...summaries.map(({ method, given = 'unknown' }) => `${method} is given: ${given}.`),
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

function datasetCells(dataset: PaperDataset, summaries: readonly MethodSummary[]): Cell[] {
  const published = publishedOurs[dataset.name];
  const mark = published?.error === undefined ? '' : '†';
  const found = summaries.map((summary) => [scoresOf(summary, dataset), nameOf(summary, dataset)] as const);
  return [
    dataset.name,
    published === undefined ? null : `${published.dsc.toFixed(2)} ± ${published.dscStd ?? ''}${mark}`,
    published?.iou === undefined ? null : `${published.iou.toFixed(2)} ± ${published.iouStd ?? ''}${mark}`,
    ...found.flatMap(([scores, name], k) => [...cellsOf(summaries[k], name, scores), seenOf(summaries[k], name)]),
    found.some(([scores]) => scores !== undefined) ? null : ABSENT,
  ];
}

type PrintedScore = Pick<DatasetScore, 'dsc' | 'std' | 'iou' | 'iouStd' | 'n' | 'falseNegatives'>;

interface BothScores {
  readonly strict: DatasetScore;
  readonly paper: DatasetScore;
}

function seenOf(summary: MethodSummary | undefined, name: string | undefined): Cell {
  return summary === undefined || name === undefined ? null : seenCell(summary, name);
}

function nameOf({ strict }: MethodSummary, dataset: PaperDataset): string | undefined {
  return Object.keys(strict.datasets).find((one) => paperDataset(one) === dataset);
}

function scoresOf(summary: MethodSummary, dataset: PaperDataset): BothScores | undefined {
  const { strict, paper } = summary;
  const name = nameOf(summary, dataset);
  return name === undefined ? undefined : bothOf(strict.datasets[name], paper.datasets[name]);
}

function bothOf(strict: DatasetScore | undefined, paper: DatasetScore | undefined): BothScores | undefined {
  return strict === undefined || paper === undefined ? undefined : { strict, paper };
}

/** The cells of a method on a dataset. */
function cellsOf(summary: MethodSummary | undefined, name: string | undefined, scores: BothScores | undefined): Cell[] {
  if (summary?.untrained === undefined || name === undefined) return ownCells(scores);
  return [RANDOM, null, RANDOM, null, summary.untrained[name] ?? 0, null];
}

function ownCells(scores: BothScores | undefined): Cell[] {
  if (scores === undefined) return [null, null, null, null, null, null];
  const { strict, paper } = scores;
  return scoreCells(paper, strict);
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

function meanCells(
  name: string,
  datasets: readonly PaperDataset[],
  summaries: readonly MethodSummary[],
  published: readonly [string, string],
): Cell[] {
  const counts = new Set<number>();
  const own = summaries.flatMap((summary) => {
    if (summary.untrained !== undefined) return [...ownCells(undefined), null];
    const found = datasets.map((dataset) => scoresOf(summary, dataset)).filter((one) => one !== undefined);
    counts.add(found.length);
    if (found.length === 0) return [...ownCells(undefined), null];
    const [paper, strict] = [meanOf(found.map((one) => one.paper)), meanOf(found.map((one) => one.strict))];
    return [...scoreCells(paper, strict), null];
  });
  return [name, ...published, ...own, `${Math.max(0, ...counts)} of ${datasets.length} datasets`];
}

/** Mean of the printed rows of an organ. */
function organMean(datasets: readonly PaperDataset[]): [string, string] {
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

function foreignCells(name: string, summaries: readonly MethodSummary[]): Cell[] {
  const own = summaries.flatMap((summary) => {
    const { strict, paper } = summary;
    const scores = bothOf(strict.datasets[name], paper.datasets[name]);
    return [...cellsOf(summary, name, scores), seenCell(summary, name)];
  });
  return [name, null, null, ...own, 'not one of the paper’s datasets'];
}
