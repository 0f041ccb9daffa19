import { CocoDataset, type Dataset, Subset } from '../../data/index.js';
import { GroundedSegmenter, type LoadOptions, type Segment } from '../../infer/index.js';
import { type Evaluation, evaluate } from '../evaluate.js';
import { pool } from '../experiment.js';
import { probePhantoms } from '../forgetting.js';
import { type Summary, summarise } from '../run-summary.js';
import type { DemoConfig } from './config.js';

/** What the models are asked about, before and after. */
export interface Questions {
  readonly learnt: Dataset;
  readonly retained: readonly Dataset[];
  /** Images in all. */
  readonly size: number;
}

/** What the models make of a dataset. */
export interface Look {
  readonly evaluation: Evaluation;
  /** Of each image, in the dataset's order. */
  readonly segments: readonly (readonly Segment[])[];
}

/** What the models make of everything that they are asked about. */
export interface Looks {
  readonly learnt: Look;
  readonly retained: Retained;
}

/** Figures over all images of what was known before, and those of each dataset. */
export interface Retained extends Summary {
  readonly sets: Readonly<Record<string, Summary>>;
}

/** Opens the test parts. */
export async function openQuestions({ judged: { learnt, retained, most } }: DemoConfig): Promise<Questions> {
  const first = (dataset: Dataset) =>
    most === undefined ? dataset : new Subset(dataset, [...Array(Math.min(most, dataset.size)).keys()]);
  const [one, ...others] = [
    await CocoDataset.open(learnt, 'test'),
    await CocoDataset.open(retained, 'test'),
    probePhantoms(),
  ].map(first) as [Dataset, Dataset, Dataset];
  return { learnt: one, retained: others, size: [one, ...others].reduce((sum, { size }) => sum + size, 0) };
}

/** Asks the models everything, and frees them. */
export async function lookAt(
  models: LoadOptions,
  { learnt, retained, size }: Questions,
  { boxThreshold, select }: DemoConfig['eval'],
  onProgress: (done: number, total: number) => void,
): Promise<Looks> {
  const segmenter = await GroundedSegmenter.load(models);
  let done = 0;
  const look = async (dataset: Dataset): Promise<Look> => {
    const segments: (readonly Segment[])[] = [];
    const evaluation = await evaluate(segmenter, dataset, {
      select: { boxThreshold, perPhrase: select },
      onImage: (_sample, found) => {
        segments.push(found);
        onProgress(++done, size);
      },
    });
    return { evaluation, segments };
  };
  try {
    const first = await look(learnt);
    const others: [string, Evaluation][] = [];
    for (const dataset of retained) others.push([dataset.name, (await look(dataset)).evaluation]);
    const sets = Object.fromEntries(others.map(([name, evaluation]) => [name, summarise(evaluation)]));
    return { learnt: first, retained: { ...summarise(pool(others.map(([, evaluation]) => evaluation))), sets } };
  } finally {
    segmenter.dispose();
  }
}
