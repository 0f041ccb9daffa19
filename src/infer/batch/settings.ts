import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { splitAddress } from '../../imaging/index.js';
import { resolveModel, shippedModels } from '../../pretrained/index.js';
import type { LoadOptionsOrBoxes } from '../grounded-segmenter.js';
import type { Selection } from '../segment-options.js';

/** Everything that results depend on besides the image. */
export interface BatchSettings {
  readonly prompts: readonly string[];
  readonly detector: string;
  readonly adapter: string | undefined;
  /** That of the masker. Default: none. */
  readonly maskerAdapter?: string | undefined;
  /** How much of the adapters counts. Default: 1. */
  readonly adapterScale?: number | undefined;
  /** `null` for boxes alone. Default: the shipped one, or that of an exported folder. */
  readonly masker?: string | null | undefined;
  readonly select: Selection;
  readonly scoreThreshold: number;
  readonly nmsThreshold: number;
}

/** The models among the settings. */
export function modelsIn({ detector, adapter, masker, maskerAdapter, adapterScale }: BatchSettings): LoadOptionsOrBoxes {
  return { detector, adapter, masker, maskerAdapter, adapterScale };
}

/** A short text that is another one whenever settings, or the files of a model, are others. */
export async function settingsKey(settings: BatchSettings): Promise<string> {
  const { detector, masker, adapter, maskerAdapter, ...rest } = settings;
  const [detectorFiles, maskerFiles, adapterFiles, maskerAdapterFiles] = await Promise.all([
    modelFiles(detector),
    masker === null ? undefined : modelFiles(masker ?? shippedModels.masker),
    adapter === undefined ? undefined : filesOf(adapter),
    maskerAdapter === undefined ? undefined : filesOf(maskerAdapter),
  ]);
  return digest({ ...rest, detectorFiles, maskerFiles, adapterFiles, maskerAdapterFiles });
}

/** A short text that stands for an image file as it is, and for settings. */
export async function imageKey(file: string, settings: string): Promise<string | undefined> {
  const info = await stat((await splitAddress(file)).file).catch(() => undefined);
  return info && digest([settings, resolve(file), info.size, info.mtimeMs]);
}

async function modelFiles(name: string): Promise<unknown> {
  return filesOf(await resolveModel(name));
}

/** Names, sizes and times of the files that make a model: reading gigabytes to compare them would take longer than many images. */
async function filesOf(path: string): Promise<unknown> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return undefined; // loading it will say so
  if (!info.isDirectory()) return [basename(path), info.size, info.mtimeMs];
  const names = (await readdir(path)).sort();
  const infos = await Promise.all(names.map((name) => stat(join(path, name)).catch(() => undefined)));
  return [resolve(path), ...names.map((name, i) => [name, infos[i]?.size, infos[i]?.mtimeMs])];
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}
