import { CocoDataset, type Dataset, Subset } from '../../data/index.js';
import type { ProtocolSummary } from '../../eval/index.js';
import type { LoadOptions } from '../../infer/index.js';
import type { Method } from '../../protocols/index.js';
import { evaluateStrictly, type StrictEvaluation, summariseStrictly } from '../evaluate/evaluate-strictly.js';
import { openModels } from '../evaluate/methods.js';
import { probePhantoms } from '../train/forgetting.js';
import type { DemoConfig } from './config.js';

/** What the models are asked about, before training and after it. */
export interface Questions {
  /** What is taught. */
  readonly learnt: Dataset;
  /** What was known. */
  readonly retained: readonly Dataset[];
}

/** What the models make of everything that they are asked about. */
export interface Verdict {
  /** The models; their answers are remembered, so that they need not be loaded to be asked again. */
  readonly method: Method;
  readonly learnt: StrictEvaluation;
  readonly retained: readonly StrictEvaluation[];
  readonly retainedSummary: ProtocolSummary;
}

/** Opens the test splits. */
export async function openQuestions({ judged: { learnt, retained, most } }: DemoConfig): Promise<Questions> {
  const first = (dataset: Dataset) =>
    most === undefined ? dataset : new Subset(dataset, [...Array(Math.min(most, dataset.size)).keys()]);
  return {
    learnt: first(await CocoDataset.open(learnt, 'test')),
    retained: [first(await CocoDataset.open(retained, 'test')), first(probePhantoms())],
  };
}

/**
 * Asks the models everything, by the strict protocol, and frees them.
 *
 * @param name - what tables and panels call these models.
 */
export async function judgeModels(
  name: 'before' | 'after',
  models: LoadOptions,
  { learnt, retained }: Questions,
  config: DemoConfig,
  onProgress: (done: number, total: number) => void,
): Promise<Verdict> {
  const method = await openModels(config, name, models);
  try {
    const splits = [learnt, ...retained].map((dataset) => ({ dataset, methods: [method] }));
    const [first, ...others] = (await evaluateStrictly(splits, config, onProgress)) as [StrictEvaluation, ...StrictEvaluation[]];
    return { method, learnt: first, retained: others, retainedSummary: summariseStrictly(others, config.run.seed) };
  } finally {
    await method.dispose();
  }
}
