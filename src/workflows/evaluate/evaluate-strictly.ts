import {
  type Collected,
  collect,
  type DatasetScore,
  type EvaluationSplit,
  type ProtocolSummary,
  scoreRows,
  summariseProtocol,
} from '../../eval/index.js';
import type { ImageBoxes } from '../../metrics/index.js';
import { type DatasetSurvey, surveyDatasets } from '../../protocols/index.js';
import { collectOptionsOf } from './evaluate-run.js';
import type { Judged } from './methods.js';
import { settingsOf } from './options.js';

/** A strict evaluation of one fold of the data. */
export interface StrictEvaluation extends Collected {
  /** Over all images of the split. */
  readonly score: DatasetScore;
}

/**
 * Evaluates one method per fold by the strict protocol: `evaluateRun` without the paper's protocol and without files. Prompts are
 * chosen by the images of all folds, so that folds share them. A fold without images has a score of nulls.
 */
export async function evaluateStrictly(
  splits: readonly EvaluationSplit[],
  config: Judged,
  onProgress?: (done: number, total: number) => void,
): Promise<StrictEvaluation[]> {
  const datasets = splits.map(({ dataset }) => dataset);
  const total = datasets.reduce((sum, { size }) => sum + size, 0);
  const surveys: ReadonlyMap<string, DatasetSurvey> = total === 0 ? new Map() : await surveyDatasets(datasets);
  const options = { ...collectOptionsOf(config, settingsOf({})), protocols: ['strict'], surveys } as const;
  const evaluations: StrictEvaluation[] = [];
  let before = 0;
  for (const split of splits) {
    const started = before;
    const collected = await collect([split], { ...options, onProgress: (_stage, done) => onProgress?.(started + done, total) });
    evaluations.push({ ...collected, score: scoreRows(collected.rows, boxesOf(collected), config.run.seed) });
    before += split.dataset.size;
  }
  return evaluations;
}

/** Summarises several parts evaluated with one method, by dataset and over all images. */
export function summariseStrictly(splits: readonly Collected[], seed: number): ProtocolSummary {
  const rows = splits.flatMap((split) => split.rows);
  const names = [...new Set(rows.map(({ dataset }) => dataset))];
  const boxes = new Map(names.map((name) => [name, splits.flatMap((split) => boxesOf(split, name))]));
  return summariseProtocol(rows, boxes, { protocol: 'strict', names, seed });
}

function boxesOf({ boxes }: Collected, dataset?: string): ImageBoxes[] {
  const byDataset = [...boxes.values()].flatMap((lists) => [...lists]);
  return byDataset.flatMap(([name, list]) => (dataset === undefined || name === dataset ? list : []));
}
