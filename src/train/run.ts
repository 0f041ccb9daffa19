import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type DetectorParts, loadDetector, loadMasker, type MaskerParts, saveAdapter } from '../infer/index.js';
import { saveCheckpoint } from '../io/index.js';
import { applyLora, type LoraSpec, loraPresets } from '../lora/index.js';
import { DetectionCriterion } from '../losses/index.js';
import { ConfigError, type Logger, Rng, silentLogger } from '../util/index.js';
import type { RunConfig } from './config.js';
import type { OpenedParts } from './data-recipe.js';
import { DetectorTask } from './detector-task.js';
import { MaskerTask } from './masker-task.js';
import type { TrainTask } from './task.js';
import { type TrainProgress, type TrainResult, train } from './trainer.js';

export interface RunOptions {
  readonly resume?: boolean;
  /** Ends training after the step that is being taken, with a checkpoint. */
  readonly signal?: AbortSignal;
  readonly logger?: Logger;
  readonly onProgress?: (progress: TrainProgress) => void;
}

/** Files of a model directory that training does not change and inference needs. */
const COMPANIONS = [
  'config.json',
  'preprocessor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'vocab.txt',
];

/** Trains what the configuration says on the given data; the best weights end up in `best/` of the run folder. */
export async function runTraining(config: RunConfig, data: OpenedParts, options: RunOptions = {}): Promise<TrainResult> {
  for (const part of ['train', 'val'] as const) {
    if (data[part].size === 0) {
      const fix = 'Give data.split a larger share for it, or use more images';
      throw new ConfigError({ where: `data ${data[part].name}`, what: `its ${part} part has no image`, fix });
    }
  }
  const task = config.task === 'detector' ? await detectorTask(config, options.logger) : await maskerTask(config);
  try {
    return await train({
      task,
      train: data.train,
      val: data.val,
      config: config.train,
      seed: config.run.seed,
      dir: config.run.dir,
      settings: config,
      ...(data.recipe && { recipe: data.recipe }),
      ...options,
    });
  } finally {
    task.model.dispose();
  }
}

async function detectorTask(config: RunConfig, logger: Logger = silentLogger): Promise<TrainTask> {
  const folder = config.model.detector;
  const parts = await loadDetector(folder, start(config));
  const { class: classWeight, bbox, giou, auxiliary, encoder, encoderMatches } = config.loss;
  const criterion = new DetectionCriterion({
    weights: { class: classWeight, bbox, giou, auxiliary, encoder },
    costs: { class: 2, bbox: 5, giou: 2 },
    encoderMatches,
  });
  const save = adapt(config, parts, logger) ?? ((dir: string) => saveModelDirectory(parts, folder, dir));
  return new DetectorTask({ ...parts, criterion, save });
}

async function maskerTask(config: RunConfig): Promise<TrainTask> {
  if (config.lora !== undefined)
    throw new ConfigError({
      where: 'lora',
      what: 'adapters are for the detector',
      fix: 'Remove the section or set task: detector',
    });
  const folder = config.model.masker;
  const parts = await loadMasker(folder, start(config));
  return new MaskerTask({ ...parts, save: (dir) => saveModelDirectory(parts, folder, dir) });
}

function start({ model, run }: RunConfig): { random?: Rng } {
  return model.start === 'random' ? { random: Rng.seeded(run.seed) } : {};
}

/** Puts adapters into the detector, if the configuration asks for them, and tells how to save them. */
function adapt({ lora, run }: RunConfig, { model }: DetectorParts, logger: Logger): ((dir: string) => Promise<void>) | undefined {
  if (lora === undefined) return undefined;
  const spec = specOf(lora);
  const { trainable, total } = applyLora(model, spec, Rng.seeded(run.seed, 7));
  logger.info(
    `LoRA: ${trainable.toLocaleString('en')} of ${total.toLocaleString('en')} parameters are trained (${((100 * trainable) / total).toFixed(2)} %)`,
  );
  return (dir) => saveAdapter(model, dir, spec);
}

/** The settings of the preset, if one is named, with those of the file in their place. */
function specOf({ preset, rank, alpha, targets, trainFully }: NonNullable<RunConfig['lora']>): LoraSpec {
  const named = preset === undefined ? { rank: 8, alpha: 8, targets: [] } : loraPresets[preset];
  if (named === undefined) {
    throw new ConfigError({
      where: 'lora.preset',
      what: `there is no preset ${preset}`,
      fix: `Choose one of ${Object.keys(loraPresets).join(', ')}`,
    });
  }
  return {
    ...named,
    rank: rank ?? named.rank,
    alpha: alpha ?? named.alpha,
    targets: [...named.targets, ...targets],
    trainFully: [...(named.trainFully ?? []), ...trainFully],
  };
}

async function saveModelDirectory({ model }: DetectorParts | MaskerParts, source: string, dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  await saveCheckpoint(model, join(dir, 'model.safetensors'));
  for (const file of COMPANIONS) {
    await copyFile(join(source, file), join(dir, file)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
}
