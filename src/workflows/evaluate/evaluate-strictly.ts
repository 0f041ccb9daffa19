import {
  type Collected,
  collect,
  type DatasetScore,
  type EvaluationPart,
  type ProtocolSummary,
  scoreRows,
  summariseProtocol,
} from '../../eval/index.js';
import type { ImageBoxes } from '../../metrics/index.js';
import { type DatasetSurvey, surveyDatasets } from '../../protocols/index.js';
import { collectOptionsOf } from './evaluate-run.js';
import type { Judged } from './methods.js';
import { settingsOf } from './options.js';

/** What the strict protocol says of a part of the data. */
export interface StrictEvaluation extends Collected {
  /** Over all images of the part. */
  readonly score: DatasetScore;
}

/**
 * Judges one method a part by the strict protocol: as `evaluateRun` does, without the paper's protocol and without files. Prompts
 * are chosen by the images of all parts, so that folds are asked alike. A part without an image has a score of nulls.
 */
export async function evaluateStrictly(
  parts: readonly EvaluationPart[],
  config: Judged,
  onProgress?: (done: number, total: number) => void,
): Promise<StrictEvaluation[]> {
  const datasets = parts.map(({ dataset }) => dataset);
  const total = datasets.reduce((sum, { size }) => sum + size, 0);
  const surveys: ReadonlyMap<string, DatasetSurvey> = total === 0 ? new Map() : await surveyDatasets(datasets);
  const options = { ...collectOptionsOf(config, settingsOf({})), protocols: ['strict'], surveys } as const;
  const evaluations: StrictEvaluation[] = [];
  let before = 0;
  for (const part of parts) {
    const started = before;
    const collected = await collect([part], { ...options, onProgress: (_stage, done) => onProgress?.(started + done, total) });
    evaluations.push({ ...collected, score: scoreRows(collected.rows, boxesOf(collected), config.run.seed) });
    before += part.dataset.size;
  }
  return evaluations;
}

/** Several parts that one method was judged on, by dataset and over all images. */
export function summariseStrictly(parts: readonly Collected[], seed: number): ProtocolSummary {
  const rows = parts.flatMap((part) => part.rows);
  const names = [...new Set(rows.map(({ dataset }) => dataset))];
  const boxes = new Map(names.map((name) => [name, parts.flatMap((part) => boxesOf(part, name))]));
  return summariseProtocol(rows, boxes, { protocol: 'strict', names, seed });
}

function boxesOf({ boxes }: Collected, dataset?: string): ImageBoxes[] {
  const byDataset = [...boxes.values()].flatMap((lists) => [...lists]);
  return byDataset.flatMap(([name, list]) => (dataset === undefined || name === dataset ? list : []));
}
