import { BatchLoader, type Dataset } from '../data/index.js';
import type { TargetRow } from '../protocols/index.js';
import { ConfigError } from '../util/index.js';
import type { AnswerScores } from './answer-scores.js';
import type { OptimConfig } from './config.js';
import type { Ranks } from './ranks/index.js';
import { RunningMean } from './running-mean.js';
import { names, notFinite } from './step.js';
import type { LossReport, TrainTask } from './tasks/index.js';

export interface ValidationOptions {
  readonly task: TrainTask;
  readonly val: Dataset;
  readonly config: OptimConfig;
  readonly seed: number;
  readonly scores?: AnswerScores | undefined;
  /** The processes that share the batches. Default: this one alone. */
  readonly ranks?: Ranks | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Results of one batch. */
interface BatchResult {
  readonly report: LossReport;
  readonly images: number;
  readonly rows: readonly TargetRow[];
}

/**
 * Computes the losses of the validation images, and scores of the predictions if wanted. Several ranks take whole batches in turn,
 * and the results are combined in the order of batches: the numbers are those of one process.
 *
 * @param step - number of updates before.
 * @returns undefined if any rank was asked to stop.
 */
export async function validate(options: ValidationOptions, step: number): Promise<LossReport | undefined> {
  const { ranks, scores } = options;
  const own = await ownResults(options, step);
  const parts = ranks === undefined ? [own] : await ranks.gather(own);
  if (parts.includes(undefined)) return undefined;
  const mean = new RunningMean();
  const rows: TargetRow[] = [];
  for (const batch of inTurn(parts as BatchResult[][])) {
    mean.add(batch.report, batch.images);
    rows.push(...batch.rows);
  }
  if (scores !== undefined && !rows.some(({ shown }) => shown)) {
    const what = 'no image of the val split shows an object, so there is no score';
    throw new ConfigError({
      code: 'E_DATA_NO_OBJECTS',
      where: 'train.monitor',
      what,
      fix: 'Choose val.loss, or give data.split other shares',
    });
  }
  const { total, terms } = mean.value;
  return { total, terms: { ...terms, ...scores?.sumUp(rows) } };
}

async function ownResults(options: ValidationOptions, step: number): Promise<BatchResult[] | undefined> {
  const { val, config, seed, task, scores, ranks, signal } = options;
  const results: BatchResult[] = [];
  scores?.forget();
  const loader = new BatchLoader(val, { batchSize: config.batchSize, shuffle: false, seed, augment: 'none' });
  for await (const samples of loader.epoch(0, ranks?.rank ?? 0, ranks?.size ?? 1)) {
    const report = await task.loss(samples);
    if (!Number.isFinite(report.total)) throw notFinite('validation loss', step - 1, names(samples));
    const rows: TargetRow[] = [];
    for (const sample of samples) rows.push(...((await scores?.judge(sample)) ?? []));
    results.push({ report, images: samples.length, rows });
    if (signal?.aborted) return undefined;
  }
  scores?.forget();
  return results;
}

/** The first of each part, the second of each, and so on. */
function inTurn<T>(parts: readonly (readonly T[])[]): T[] {
  const longest = Math.max(...parts.map(({ length }) => length));
  return Array.from({ length: longest }, (_, i) => parts.flatMap((part) => part.slice(i, i + 1))).flat();
}
