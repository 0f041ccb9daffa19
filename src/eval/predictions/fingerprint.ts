import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RasterImage } from '../../imaging/index.js';
import { adapterFolder } from '../../lora/index.js';
import { resolveModel } from '../../pretrained/index.js';
import { modelFolder } from '../../weights/index.js';

/** Files of a model folder that decide what it answers. */
const DECISIVE = /\.(safetensors|json|txt|bin|pth|pt)$/i;

/** Files of a model folder that only describe it, or that evaluations leave there. */
const DESCRIPTIVE = /^(calibration|README|manifest)\b.*\.json$/;

/** A digest of an image's size and pixels: the same picture from another file has the same one. */
export function imageFingerprint({ width, height, data }: RasterImage): string {
  return createHash('sha256').update(`${width}x${height}\n`).update(data).digest('hex');
}

/** A digest of anything that JSON can say. */
export function textFingerprint(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

/**
 * A digest of the contents of model folders, by which predictions are remembered: training anew into the same folder changes it.
 *
 * @param models - folders or files of models, or names of downloaded ones.
 * @param adapters - folders of adapters, or files of their weights; the place of an absent one counts. Default: none.
 * @throws UsageError, HubError, CheckpointError naming a model or an adapter that is not there.
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

async function addFolder(hash: Hash, folder: string): Promise<void> {
  const names = await readdir(folder);
  for (const name of names.filter((one) => DECISIVE.test(one) && !DESCRIPTIVE.test(one)).sort()) {
    const file = join(folder, name);
    if (!(await stat(file)).isFile()) continue;
    hash.update(`\n${name}\n`);
    for await (const piece of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer);
  }
}
