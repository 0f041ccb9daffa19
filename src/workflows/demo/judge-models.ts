import { CocoDataset, type Dataset, Subset } from '../../data/index.js';
import type { ProtocolSummary } from '../../eval/index.js';
import type { LoadOptions } from '../../infer/index.js';
import type { Method } from '../../protocols/index.js';
import { evaluateStrictly, type StrictEvaluation, summariseStrictly } from '../evaluate/evaluate-strictly.js';
import { openModels } from '../evaluate/methods.js';
import { probePhantoms } from '../train/forgetting.js';
import type { DemoConfig } from './config.js';

/** Evaluation data, before and after training. */
export interface Questions {
  /** Training domain. */
  readonly learnt: Dataset;
  /** Prior domains. */
  readonly retained: readonly Dataset[];
}

/** Evaluation of one pair of models. */
export interface Verdict {
  /** The models; their answers are cached, so that they can be queried again without loading. */
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
 * Evaluates the models on everything by the strict protocol, and frees them.
 *
 * @param name - name of the models in tables and panels.
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
