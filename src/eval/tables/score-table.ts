import type { SeenInTraining } from '../../protocols/index.js';
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
  /** What the method is given besides the image. Absent: unknown. */
  readonly given?: string;
  /** Number of images of each dataset that it was run on with random weights, of which there are no means. Absent: it is trained. */
  readonly untrained?: Readonly<Record<string, number>>;
  /** What a reader of its figures has to know, as a clause. */
  readonly note?: string;
  /** Whether its training included each dataset. Absent: unknown. */
  readonly seen?: Readonly<Record<string, SeenInTraining>>;
}

/** The notes of methods that have one; rows with the same note share it. */
export function methodNotes(summaries: readonly MethodSummary[]): string[] {
  const known = new Map<string, string[]>();
  for (const { method, note, untrained } of summaries)
    for (const text of [note, untrained === undefined ? undefined : UNTRAINED_NOTE]) {
      if (text === undefined) continue;
      known.set(text, [...(known.get(text) ?? []), method]);
    }
  return [...known].map(([text, methods]) => `${methods.join('; ')}: ${text}.`);
}

const UNTRAINED_NOTE =
  'the weights are random, so that masks mean nothing; run on a few images of each dataset, and nothing is averaged';

/** In place of a mean of a method with random weights. */
export const RANDOM = 'random weights';

/** Whether a method's training included a dataset, for a cell: of random weights alone it is known that nothing did. */
export function seenCell({ seen, untrained }: MethodSummary, dataset: string): SeenInTraining | 'no' {
  return untrained === undefined ? (seen?.[dataset] ?? 'unknown') : 'no';
}

/** How to read the columns of {@link MethodSummary.given} and {@link MethodSummary.seen}. */
export const SEEN_NOTE =
  'Given: what a method gets besides the image; oracle: drawn from the ground truth, which is not available in practice, so that the row is an upper bound. Seen in pre-training: “yes” where the weights are known to have been trained on the dataset, “training split” where on that alone, “no” for random weights, “unknown” otherwise; of weights that are not ours by what is published of the method.';

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
  'given',
  'seen in pre-training',
];

export interface ScoreTableOptions {
  /** Boundary distance tolerance. */
  readonly tolerance: { readonly mm: number; readonly px: number };
  /** Grid of the paper's protocol. */
  readonly grid: 'image' | 'prediction';
}

/** How the grid of the paper's protocol is explained under a table. */
export function gridNote(grid: 'image' | 'prediction'): string {
  return grid === 'prediction'
    ? 'Paper: masks are compared on the prediction’s own grid, to which the ground truth is resized by nearest neighbour, as published. Strict: always on the image’s grid.'
    : 'Both protocols compare masks on the image’s grid; eval.grid=prediction compares the paper’s as published, on the prediction’s own.';
}

/** The protocols side by side: a row per dataset, then organs, the mean of datasets and all images pooled. */
export function scoreTable(summaries: readonly MethodSummary[], { tolerance, grid }: ScoreTableOptions): Table {
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
      gridNote(grid),
      SEEN_NOTE,
      ...methodNotes(summaries),
      'AP: boxes, over IoU 0.5 to 0.95 as in COCO. Found: share of images showing a structure in which something was found. Interval: bootstrap over patients where they are known, otherwise over images; none of a single one.',
    ],
  };
}

function rowsOf(summary: MethodSummary): TableRow[] {
  const { strict, paper, given = 'unknown', untrained } = summary;
  const names = Object.keys(strict.datasets);
  if (untrained !== undefined)
    return names.map((name) => ({ cells: [...unaveraged(name, untrained[name] ?? 0), given, seenCell(summary, name)] }));
  const organs = Object.keys(strict.organs);
  const rows: TableRow[] = [];
  for (const organ of organs) {
    const own = names.filter((name) => organOf(name) === organ);
    for (const name of own)
      rows.push({ cells: [...full(name, strict.datasets[name], paper.datasets[name]), given, seenCell(summary, name)] });
    if (organs.length > 1 && own.length > 1)
      rows.push({ cells: [...mean(`mean of ${organ}`, strict.organs[organ], paper.organs[organ]), given, null], total: true });
  }
  if (names.length > 1)
    rows.push({ cells: [...mean('mean of datasets', strict.overall, paper.overall), given, null], total: true });
  if (names.length > 1) rows.push({ cells: [...full('all images', strict.pooled, paper.pooled), given, null], total: true });
  return rows;
}

/** {@link full} of a method with random weights. */
function unaveraged(name: string, images: number): Cell[] {
  const none = (count: number) => Array<null>(count).fill(null);
  return [name, RANDOM, ...none(7), images, null, RANDOM, ...none(2)];
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
