import { join } from 'node:path';
import { z } from 'zod';
import { inputPath } from '../../config/index.js';
import { type RunConfig, runConfigSchema } from '../../train/index.js';

const { run, model, data, lora, train, loss, eval: judging } = runConfigSchema.shape;

const trainingSchema = z.strictObject({ lora, train, loss });

const judgedSchema = z.strictObject({
  /** What the models are taught: a COCO folder, whose test split they are asked about. */
  learnt: inputPath(),
  /** What they knew before: the same. Phantoms of the standard domain are looked at besides. */
  retained: inputPath(),
  /** At most so many images of each. Default: all. */
  most: z.int().positive().optional(),
});

/** The demo: two trainings, of the detector and then of the masker, and what both are judged by. */
export const demoSchema = z.strictObject({
  run,
  model,
  /** What is trained on: what is new, and what is not to be forgotten. */
  data,
  judged: judgedSchema,
  detector: trainingSchema,
  masker: trainingSchema,
  eval: judging,
});

/** The demo; see {@link demoSchema}. */
export type DemoConfig = z.infer<typeof demoSchema>;

/** The models that the demo trains, in order. */
export const trainings = ['detector', 'masker'] as const;
export type Training = (typeof trainings)[number];

/** One of the trainings as a run of its own, in a folder of its own. */
export function trainingOf(config: DemoConfig, task: Training): RunConfig {
  const { run, model, data, eval: judged } = config;
  return { task, run: { ...run, dir: join(run.dir, task) }, model, data, ...config[task], eval: judged };
}

/** The tuned pair as a run that is judged on what was learnt: what `eval` finds in the demo's folder. */
export function resultOf(config: DemoConfig, models: RunConfig['model']): RunConfig {
  const { run, judged, eval: judging } = config;
  return runConfigSchema.parse({ run, model: models, data: { format: 'coco', root: judged.learnt }, eval: judging });
}
