import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RasterImage } from '../../imaging/index.js';
import { adapterFolder } from '../../lora/index.js';
import { RANDOM_WEIGHTS } from '../../methods/index.js';
import { resolveModel } from '../../pretrained/index.js';
import { modelFolder } from '../../weights/index.js';

/** Files of a model folder that determine its answers. */
const DECISIVE = /\.(safetensors|json|txt|bin|pth|pt)$/i;

/** Files of a model folder that are descriptive, or written by evaluations. */
const DESCRIPTIVE = /^(calibration|README|manifest)\b.*\.json$/;

/** Files beside a weight file that determine its answers too. */
const BESIDE = ['config.json', 'tokenizer.json', 'vocab.txt', 'merges.txt'];

const known = new WeakMap<RasterImage, string>();

/** Hash of an image's size and pixels: equal for the same image in another file. An image is hashed once. */
export function imageFingerprint(image: RasterImage): string {
  const { width, height, data } = image;
  const fingerprint = known.get(image) ?? createHash('sha256').update(`${width}x${height}\n`).update(data).digest('hex');
  known.set(image, fingerprint);
  return fingerprint;
}

/** Hash of any JSON-serialisable value. */
export function textFingerprint(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

/**
 * Hash of the contents of model folders, used as cache key: retraining into the same folder changes it.
 *
 * @param models - folders or files of models, or names of downloaded ones.
 * @param adapters - folders of adapters, or files of their weights; positions of absent ones count. Default: none.
 * @throws UsageError, HubError, CheckpointError naming a missing model or adapter.
 */
export async function modelFingerprint(
  models: readonly string[],
  adapters: readonly (string | undefined)[] = [],
): Promise<string> {
  const hash = createHash('sha256');
  const folders = [
    ...models.map(async (model) => modelFolder(await resolveModel(model))),
    ...adapters.map((adapter) => (adapter === undefined ? undefined : adapterFolder(adapter))),
  ];
  for (const folder of await Promise.all(folders)) {
    if (folder !== undefined) await addFolder(hash, folder);
    hash.update('\n\n');
  }
  return hash.digest('hex');
}

/**
 * Hash of the weights of a method: of a folder as {@link modelFingerprint}, of a file that file alone, with a configuration and
 * a tokenizer beside it.
 *
 * @param weights - a folder, a file, the name of a downloaded model, or random ones, which are always the same.
 * @throws UsageError, HubError, CheckpointError naming a missing model.
 */
export async function weightsFingerprint(weights: string): Promise<string> {
  if (weights === RANDOM_WEIGHTS) return textFingerprint(RANDOM_WEIGHTS);
  const path = await resolveModel(weights);
  if ((await stat(path)).isDirectory()) return modelFingerprint([path]);
  const hash = createHash('sha256');
  await addFile(hash, path);
  for (const name of BESIDE) {
    const file = join(dirname(path), name);
    if ((await stat(file).catch(() => undefined))?.isFile() === true) await addFile(hash, file);
  }
  return hash.digest('hex');
}

async function addFile(hash: Hash, file: string): Promise<void> {
  for await (const piece of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer);
}

async function addFolder(hash: Hash, folder: string): Promise<void> {
  const names = await readdir(folder);
  for (const name of names.filter((one) => DECISIVE.test(one) && !DESCRIPTIVE.test(one)).sort()) {
    const file = join(folder, name);
    if (!(await stat(file)).isFile()) continue;
    hash.update(`\n${name}\n`);
    await addFile(hash, file);
  }
}
