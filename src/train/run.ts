import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { auditForTraining, loadWordings, vocabularyOf } from '../data/index.js';
import { DetectionCriterion } from '../losses/index.js';
import { universegToJson } from '../models/universeg/index.js';
import {
  type DetectorParts,
  exemplarModel,
  loadDetector,
  loadSam2Masker,
  loadSam2VideoParts,
  loadUniverSeg,
  resolveModel,
  type Sam2Parts,
  type Sam2VideoParts,
} from '../pretrained/index.js';
import { saveImageSettings } from '../processing/index.js';
import { canonicalPhrase } from '../prompts/index.js';
import { ConfigError, type Logger, Rng, silentLogger, writeFileAtomic } from '../util/index.js';
import { modelFolder, saveCheckpoint } from '../weights/index.js';
import { adapt } from './adapt.js';
import { type AnswerScores, detectorScores, maskerScores } from './answer-scores.js';
import type { RunConfig } from './config.js';
import type { OpenedSplits } from './data-recipe.js';
import { DetectorTask } from './detector-task.js';
import { ExemplarTask } from './exemplar-task.js';
import { freeze } from './freeze.js';
import { MaskerTask } from './masker-task.js';
import { MemoryTask } from './memory-task.js';
import { scoreAsked } from './monitor.js';
import { preflight, samplesWithObjects } from './preflight.js';
import { onRoot, type Ranks, requireEnoughImages } from './ranks/index.js';
import { SupportPool } from './support-pool.js';
import type { TrainTask } from './task.js';
import { train } from './trainer.js';
import type { TrainProgress, TrainResult } from './trainer-options.js';

/** Options to start and watch a run. */
export interface RunOptions {
  readonly resume?: boolean;
  /** Resume although the data, or the model that the run started from, have changed. Default: false. */
  readonly allowChangedData?: boolean;
  /** The processes that share each batch; they log, write and validate through rank 0. Default: this process alone. */
  readonly ranks?: Ranks | undefined;
  /** Ends training after the current step, with a checkpoint. */
  readonly signal?: AbortSignal;
  readonly logger?: Logger;
  /** Called after each step. */
  readonly onProgress?: (progress: TrainProgress) => void;
}

/** Files of a model directory that training does not change but inference needs. */
const COMPANIONS = [
  'config.json',
  'preprocessor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'vocab.txt',
];

/** Trains on the given data according to the configuration; the best weights are written to `best/` in the run folder. */
export async function runTraining(config: RunConfig, data: OpenedSplits, options: RunOptions = {}): Promise<TrainResult> {
  for (const split of ['train', 'val'] as const) {
    if (data[split].size === 0) {
      const fix = 'Give data.split a larger share for it, or use more images';
      throw new ConfigError({
        code: 'E_SPLIT_EMPTY',
        where: `data ${data[split].name}`,
        what: `its ${split} part has no image`,
        fix,
      });
    }
  }
  refuseOwnAdapter(config);
  checkClips(config);
  const { ranks, logger = silentLogger } = options;
  requireEnoughImages(config.train.batchSize, ranks);
  await onRoot(ranks, () => auditForTraining(data, { allowOverlap: config.data.allowOverlap, logger }));
  const capture = isLong(config.train, data.train.size);
  await samplesWithObjects(data.train, 1); // negatives alone teach the model to find nothing
  const { task, loadScores } = await JUDGED[config.task](config, data, capture, logger);
  let scores: AnswerScores | undefined;
  try {
    scores = await loadScores();
    if (config.lora !== undefined && config.train.preflight)
      await onRoot(ranks, () => preflight(task, data.train, config.run.seed, logger));
    const base = config.model[config.task === 'memory' ? 'masker' : config.task] ?? exemplarModel;
    return await train({
      task,
      models: { [base]: await resolveModel(base) },
      train: data.train,
      val: data.val,
      config: config.train,
      seed: config.run.seed,
      dir: config.run.dir,
      scores,
      settings: config,
      capture,
      ...(data.recipe && { recipe: data.recipe }),
      ...options,
    });
  } finally {
    scores?.dispose();
    task.dispose();
  }
}

/** An adapter belongs to the other model, not to the one being trained. */
function refuseOwnAdapter({ task, model }: RunConfig): void {
  if (task === 'universeg') return;
  const key = task === 'detector' ? 'adapter' : 'maskerAdapter';
  if (model[key] === undefined) return;
  const what = `the ${task} is what is trained, and training starts from a model without adapters`;
  const fix = `Remove it, or export the model with its adapter and name that folder as model.${task}`;
  throw new ConfigError({ code: 'E_CONFIG_CONFLICT', where: `model.${key}`, what, fix });
}

/** @throws ConfigError when a task is given clips that takes images, or the other way round. */
function checkClips({ task, data: { clips }, train: { augment, monitor } }: RunConfig): void {
  const conflict = (where: string, what: string, fix: string) => new ConfigError({ code: 'E_CONFIG_CONFLICT', where, what, fix });
  if (task !== 'memory') {
    if (clips === undefined) return;
    throw conflict('data.clips', `a ${task} is trained on single images`, 'Remove it, or set task: memory');
  }
  if (clips === undefined) throw conflict('data.clips', 'a memory is trained on clips', 'Set data.clips.frames, as in 8');
  if (augment !== 'none' && augment !== 'ultrasound')
    throw conflict(
      'train.augment',
      'the frames of a clip are augmented alike, by ultrasound alone',
      'Set it to ultrasound or none',
    );
  if (scoreAsked(monitor) !== undefined)
    throw conflict('train.monitor', `a memory has no ${monitor}`, 'Choose val.loss or a part of the loss, such as val.overlap');
}

/** Number of steps from which graphs pay off: tracing takes some seconds per prompt length. */
const LONG = 150;

/** Whether enough steps are planned for graphs to pay off. A resumed run decides alike, so that it computes the same values. */
function isLong({ epochs, stepsPerEpoch, batchSize, accumulate }: RunConfig['train'], images: number): boolean {
  return epochs * (stepsPerEpoch ?? Math.ceil(images / (batchSize * accumulate))) >= LONG;
}

interface Judged {
  readonly task: TrainTask;
  /** Creates the evaluator of the task's predictions, if the configuration needs one. */
  readonly loadScores: () => Promise<AnswerScores | undefined>;
}

async function detectorTask(config: RunConfig, { train, val }: OpenedSplits, capture: boolean, logger: Logger): Promise<Judged> {
  const folder = config.model.detector;
  const loaded = await loadDetector(folder, start(config));
  if (train.phrases !== undefined) loaded.tokenizer.check(train.phrases, `data ${train.name}`);
  const { imageSize } = config.model;
  const parts = imageSize === undefined ? loaded : { ...loaded, imageProcessor: loaded.imageProcessor.sized(sizeOf(imageSize)) };
  const { encoderMatches, decoderMatches, iouTargets, ...weights } = config.loss;
  if (weights.cells > 0 && !parts.model.config.twoStage) {
    const what = 'the detector has no first stage, whose cells it would train (two_stage is false)';
    throw new ConfigError({ code: 'E_CONFIG_CONFLICT', where: 'loss.cells', what, fix: 'Set it to 0' });
  }
  const costs = { class: 2, bbox: 5, giou: 2 };
  const criterion = new DetectionCriterion({ weights, costs, encoderMatches, decoderMatches, iouTargets });
  freeze(parts.model, config);
  const saveWeights = adapt(parts.model, config, folder, logger) ?? ((dir: string) => saveModelDirectory(parts, folder, dir));
  const save = async (dir: string) => {
    await saveWeights(dir);
    if (imageSize !== undefined) await saveImageSettings(parts.imageProcessor, dir);
  };
  const { share, most, related = [] } = config.train.negativePhrases;
  const negatives = {
    share,
    most,
    vocabulary: share > 0 ? await vocabularyOf(train) : [],
    related: related.map((list) => list.map(canonicalPhrase)),
  };
  const wordings = config.train.wordings && { ...config.train.wordings, of: await loadWordings() };
  const task = new DetectorTask({ ...parts, criterion, save, negatives, wordings, capture });
  return { task, loadScores: () => detectorScores(config, parts, val) };
}

async function maskerTask(config: RunConfig, { val }: OpenedSplits, capture: boolean, logger: Logger): Promise<Judged> {
  if (config.model.imageSize !== undefined) {
    const what = "the size of the masker's images is part of its model";
    throw new ConfigError({ code: 'E_CONFIG_CONFLICT', where: 'model.imageSize', what, fix: 'Remove it or set task: detector' });
  }
  const folder = config.model.masker;
  const parts = await loadSam2Masker(folder, start(config));
  freeze(parts.model, config);
  const save = adapt(parts.model, config, folder, logger) ?? ((dir: string) => saveModelDirectory(parts, folder, dir));
  return { task: new MaskerTask({ ...parts, save, capture }), loadScores: () => maskerScores(config, parts, val) };
}

/** The masker stays as it is where `train.freeze` or `lora` says so. */
async function memoryTask(config: RunConfig, _data: OpenedSplits, capture: boolean, logger: Logger): Promise<Judged> {
  if (config.model.imageSize !== undefined) {
    const what = "the size of the masker's images is part of its model";
    throw new ConfigError({ code: 'E_CONFIG_CONFLICT', where: 'model.imageSize', what, fix: 'Remove it' });
  }
  const folder = config.model.masker;
  const parts = await loadSam2VideoParts(folder, start(config));
  freeze(parts.model, config);
  const save = adapt(parts.model, config, folder, logger) ?? ((dir: string) => saveModelDirectory(parts, folder, dir));
  return { task: new MemoryTask({ ...parts, save, capture }), loadScores: async () => undefined };
}

/** A UniverSeg is trained as a whole, alone. */
async function exemplarTask(config: RunConfig, { train }: OpenedSplits): Promise<Judged> {
  refuseForExemplars(config);
  const { model, config: sizes } = await loadUniverSeg(config.model.universeg ?? exemplarModel, start(config));
  freeze(model, config);
  const save = async (dir: string) => {
    await mkdir(dir, { recursive: true });
    await saveCheckpoint(model, join(dir, 'model.safetensors'));
    await writeFileAtomic(join(dir, 'config.json'), `${JSON.stringify(universegToJson(sizes), null, 2)}\n`);
  };
  const supports = supportsOf(config);
  const pool = await SupportPool.open(train, sizes.imageSize);
  const task = new ExemplarTask({ model, pool, supports, augment: config.train.augment, save });
  return { task, loadScores: async () => undefined };
}

/** The sizes of the supports of a run. */
export function supportsOf({ support = { least: 1, most: 16 } }: Pick<RunConfig, 'support'>): {
  readonly least: number;
  readonly most: number;
} {
  return support;
}

/** @throws ConfigError for settings of the other tasks. */
function refuseForExemplars({ model, lora, train }: RunConfig): void {
  const misplaced = [
    ['lora', lora, 'UniverSeg has no linear layers: all of it is trained'],
    ['model.adapter', model.adapter, 'UniverSeg works without a detector'],
    ['model.maskerAdapter', model.maskerAdapter, 'UniverSeg works without a masker'],
    ['model.imageSize', model.imageSize, 'the size of its images is part of its config.json'],
    ['train.monitor', scoreAsked(train.monitor), 'it is for detector and masker; UniverSeg has val.overlap, the mean IoU'],
  ] as const;
  for (const [where, value, what] of misplaced)
    if (value !== undefined) throw new ConfigError({ code: 'E_CONFIG_CONFLICT', where, what, fix: 'Remove it' });
}

const JUDGED = { detector: detectorTask, masker: maskerTask, memory: memoryTask, universeg: exemplarTask } as const;

function start({ model, run }: RunConfig): { random?: Rng } {
  return model.start === 'random' ? { random: Rng.seeded(run.seed) } : {};
}

/** The image size in the form of Hugging Face's settings. */
function sizeOf(size: NonNullable<RunConfig['model']['imageSize']>) {
  if ('square' in size) return { height: size.square, width: size.square };
  return { shortest_edge: size.shortest, longest_edge: size.longest };
}

async function saveModelDirectory(
  { model }: DetectorParts | Sam2Parts | Sam2VideoParts,
  source: string,
  dir: string,
): Promise<void> {
  await mkdir(dir, { recursive: true });
  await saveCheckpoint(model, join(dir, 'model.safetensors'));
  const folder = await modelFolder(await resolveModel(source));
  for (const file of COMPANIONS) {
    await copyFile(join(folder, file), join(dir, file)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
}
