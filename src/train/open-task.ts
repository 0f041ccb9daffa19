import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { loadWordings, vocabularyOf } from '../data/index.js';
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
import { ConfigError, type Logger, Rng, writeFileAtomic } from '../util/index.js';
import { modelFolder, saveCheckpoint } from '../weights/index.js';
import { adapt } from './adapt.js';
import { type AnswerScores, detectorScores, maskerScores } from './answer-scores.js';
import type { RunConfig } from './config.js';
import type { OpenedSplits } from './data-recipe.js';
import { freeze } from './freeze.js';
import { scoreAsked } from './monitor.js';
import { DetectorTask, ExemplarTask, MaskerTask, MemoryTask, SupportPool, type TrainTask } from './tasks/index.js';

/** A task with its model loaded. */
export interface OpenedTask {
  readonly task: TrainTask;
  /** Creates the evaluator of the task's predictions, if the configuration needs one. */
  readonly loadScores: () => Promise<AnswerScores | undefined>;
}

/** Loads the model of a run, frozen and adapted as its configuration says. The task is the caller's to dispose. */
export function openTask(config: RunConfig, data: OpenedSplits, capture: boolean, logger: Logger): Promise<OpenedTask> {
  return OPEN[config.task](config, data, capture, logger);
}

const OPEN = { detector: detectorTask, masker: maskerTask, memory: memoryTask, universeg: exemplarTask } as const;

async function detectorTask(
  config: RunConfig,
  { train, val }: OpenedSplits,
  capture: boolean,
  logger: Logger,
): Promise<OpenedTask> {
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
  const { share, most, alone, others = [], related = [] } = config.train.negativePhrases;
  loaded.tokenizer.check(others, 'train.negativePhrases.others');
  const negatives = {
    share,
    most,
    alone,
    vocabulary: share > 0 ? [...new Set([...(await vocabularyOf(train)), ...others.map(canonicalPhrase)])] : [],
    related: related.map((list) => list.map(canonicalPhrase)),
  };
  const wordings = config.train.wordings && { ...config.train.wordings, of: await loadWordings() };
  const task = new DetectorTask({ ...parts, criterion, save, negatives, wordings, capture });
  return { task, loadScores: () => detectorScores(config, parts, val) };
}

async function maskerTask(config: RunConfig, { val }: OpenedSplits, capture: boolean, logger: Logger): Promise<OpenedTask> {
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
async function memoryTask(config: RunConfig, _data: OpenedSplits, capture: boolean, logger: Logger): Promise<OpenedTask> {
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
async function exemplarTask(config: RunConfig, { train }: OpenedSplits): Promise<OpenedTask> {
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

function start({ model, run }: RunConfig): { random?: Rng } {
  return model.start === 'random' ? { random: Rng.seeded(run.seed) } : {};
}

/** The image size in the form of Hugging Face's settings. */
function sizeOf(size: NonNullable<RunConfig['model']['imageSize']>) {
  if ('square' in size) return { height: size.square, width: size.square };
  return { shortest_edge: size.shortest, longest_edge: size.longest };
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
