import { join } from 'node:path';
import { z } from 'zod';
import { inputPath } from '../../config/index.js';
import { type RunConfig, runConfigSchema } from '../../train/index.js';

const { run, model, data, lora, train, loss, eval: judging } = runConfigSchema.shape;

const trainingSchema = z.strictObject({ lora, train, loss });

const judgedSchema = z.strictObject({
  /** Training domain: a COCO folder whose test split is evaluated. */
  learnt: inputPath(),
  /** Prior domain, to measure forgetting: likewise. Phantoms of the standard domain are evaluated in addition. */
  retained: inputPath(),
  /** Maximum number of images of each. Default: all. */
  most: z.int().positive().optional(),
});

/** The demo: two training runs, of the detector and then of the masker, and the data to evaluate both on. */
export const demoSchema = z.strictObject({
  run,
  model,
  /** The training data: the new domain, and data against forgetting. */
  data,
  judged: judgedSchema,
  detector: trainingSchema,
  masker: trainingSchema,
  eval: judging,
});

/** Settings of the demo; see {@link demoSchema}. */
export type DemoConfig = z.infer<typeof demoSchema>;

/** The models that the demo trains, in order. */
export const trainings = ['detector', 'masker'] as const;
export type Training = (typeof trainings)[number];

/** One of the two training runs, with a folder of its own. */
export function trainingOf(config: DemoConfig, task: Training): RunConfig {
  const { run, model, data, eval: judged } = config;
  return { task, run: { ...run, dir: join(run.dir, task) }, model, data, ...config[task], eval: judged };
}

/** The fine-tuned pair as a run to be evaluated on the training domain, which `eval` finds in the demo's folder. */
export function resultOf(config: DemoConfig, models: RunConfig['model']): RunConfig {
  const { run, judged, eval: judging } = config;
  return runConfigSchema.parse({ run, model: models, data: { format: 'coco', root: judged.learnt }, eval: judging });
}
