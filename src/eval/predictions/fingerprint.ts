import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { modelFolder, resolveModelDirectory } from '../../io/index.js';
import type { RasterImage } from '../../processing/index.js';

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
 * @param folders - folders or files of models, or names of downloaded ones.
 * @throws UsageError, HubError naming a model that is not there.
 */
export async function modelFingerprint(folders: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of folders) {
    const isFile = (await stat(path).catch(() => undefined))?.isFile() === true;
    const folder = isFile ? await modelFolder(path) : await resolveModelDirectory(path);
    const names = await readdir(folder);
    for (const name of names.filter((one) => DECISIVE.test(one) && !DESCRIPTIVE.test(one)).sort()) {
      const file = join(folder, name);
      if (!(await stat(file)).isFile()) continue;
      hash.update(`\n${name}\n`);
      for await (const piece of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer);
    }
    hash.update('\n\n');
  }
  return hash.digest('hex');
}
