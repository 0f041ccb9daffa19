import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Precision } from '../../backend/index.js';
import { splitAddress } from '../../imaging/index.js';
import { MEASURES_VERSION } from '../../measure/index.js';
import { resolveModel, shippedModels } from '../../pretrained/index.js';
import type { Selection } from '../../processing/index.js';
import type { LoadOptionsOrBoxes } from '../grounded-segmenter.js';
import type { BatchImage } from './batch-image.js';
import type { SpreadSettings } from './spread.js';

/** Everything that results depend on besides the image. */
export interface BatchSettings {
  readonly prompts: readonly string[];
  readonly detector: string;
  readonly adapter: string | undefined;
  /** Adapter of the masker. Default: none. */
  readonly maskerAdapter?: string | undefined;
  /** Scale of the adapters. Default: 1. */
  readonly adapterScale?: number | undefined;
  /** Default: `float32`. */
  readonly precision?: Precision | undefined;
  /** `null` for boxes only. Default: the shipped masker, or that of an exported folder. */
  readonly masker?: string | null | undefined;
  /** A method of the comparison that takes the place of the masker; `masker` then names its weights. Default: none. */
  readonly method?: string | undefined;
  readonly select: Selection;
  readonly threshold: number;
  readonly nmsThreshold: number;
  /** Variants of each image to segment, for the spread of measures. Default: none. */
  readonly spread?: SpreadSettings | undefined;
}

/** Everything that the results of exemplars depend on besides the image. */
export interface ExemplarSettings {
  /** The structure that the exemplars show, which results are called by. */
  readonly prompts: readonly [string];
  /** The UniverSeg. */
  readonly universeg: string;
  /** Folder of the exemplars, and the hash of their content. */
  readonly exemplars: string;
  readonly exemplarsHash: string;
  /** Exemplars of each draw, number of draws, and their seed. */
  readonly supports: number;
  readonly draws: number;
  readonly seed: number;
}

/** Whether images are segmented by exemplars, not by prompts. */
export function isByExemplars(settings: BatchSettings | ExemplarSettings): settings is ExemplarSettings {
  return 'universeg' in settings;
}

/** The models among the settings. */
export function modelsIn(settings: BatchSettings): LoadOptionsOrBoxes {
  const { detector, adapter, masker, maskerAdapter, adapterScale, precision } = settings;
  return { detector, adapter, masker, maskerAdapter, adapterScale, precision };
}

/**
 * Hash of the settings and of the model files.
 *
 * @param pixelSizes - identifies the given sizes of pixels, if any.
 */
export async function settingsKey(settings: BatchSettings | ExemplarSettings, pixelSizes?: string): Promise<string> {
  const measures = [MEASURES_VERSION, pixelSizes];
  if (isByExemplars(settings)) {
    // Copies of the exemplars in another folder give the same results.
    const { universeg, exemplars: _, ...own } = settings;
    return digest({ ...own, universegFiles: await modelFiles(universeg), measures });
  }
  const { detector, masker, adapter, maskerAdapter, ...rest } = settings;
  const [detectorFiles, maskerFiles, adapterFiles, maskerAdapterFiles] = await Promise.all([
    modelFiles(detector),
    masker === null ? undefined : modelFiles(masker ?? shippedModels.masker),
    adapter === undefined ? undefined : filesOf(adapter),
    maskerAdapter === undefined ? undefined : filesOf(maskerAdapter),
  ]);
  return digest({ ...rest, detectorFiles, maskerFiles, adapterFiles, maskerAdapterFiles, measures });
}

/**
 * Hash of an image file and of the settings. A file of a source of which no version is known counts as unchanged.
 *
 * @returns undefined for a local file that is missing.
 */
export async function imageKey({ path, source }: BatchImage, settings: string): Promise<string | undefined> {
  if (source !== undefined) return digest([settings, path, source.version]);
  const info = await stat((await splitAddress(path)).file).catch(() => undefined);
  return info && digest([settings, resolve(path), info.size, info.mtimeMs]);
}

async function modelFiles(name: string): Promise<unknown> {
  return filesOf(await resolveModel(name));
}

/** Names, sizes and times of a model's files: hashing gigabytes would take longer than segmenting many images. */
async function filesOf(path: string): Promise<unknown> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return undefined; // loading it reports the error
  if (!info.isDirectory()) return [basename(path), info.size, info.mtimeMs];
  const names = (await readdir(path)).sort();
  const infos = await Promise.all(names.map((name) => stat(join(path, name)).catch(() => undefined)));
  return [resolve(path), ...names.map((name, i) => [name, infos[i]?.size, infos[i]?.mtimeMs])];
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}
