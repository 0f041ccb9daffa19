import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { BatchImage, VolumeResult } from '../../infer/index.js';
import { UsageError } from '../../util/index.js';
import { consoleLogger } from '../console-logger.js';

/** `--volume`, as yargs describes it. */
export const volumeOption = {
  type: 'string',
  array: true,
  describe:
    'two of the images, the longitudinal plane first: the volume of each phrase by the ellipsoid formula; writes volumes.json, and with --dicom the report of the first',
} as const;

/** The images of the two planes. */
export type Planes = readonly [longitudinal: BatchImage, transverse: BatchImage];

/**
 * Finds the two planes among the images.
 *
 * @throws UsageError for fewer or more than two, twice the same one, and one that is not among the images.
 */
export async function planesOf(names: readonly string[], images: readonly BatchImage[]): Promise<Planes> {
  const fix = 'Name two of the images of --image: --volume LONGITUDINAL TRANSVERSE';
  if (names.length !== 2)
    throw new UsageError({ code: 'E_OPTION_VALUE', where: '--volume', what: `expected two images, got ${names.length}`, fix });
  const paths = await Promise.all(images.map(({ path }) => real(path)));
  const found = await Promise.all(
    names.map(async (name) => {
      const image = images[paths.indexOf(await real(name))];
      if (image !== undefined) return image;
      throw new UsageError({ code: 'E_OPTION_VALUE', where: '--volume', what: `${name} is not among the images`, fix });
    }),
  );
  const [first, second] = found as [BatchImage, BatchImage];
  if (first === second)
    throw new UsageError({ code: 'E_OPTION_VALUE', where: '--volume', what: 'both planes are the same image', fix });
  return [first, second];
}

/** Reports the volumes. */
export function reportVolumes(volumes: readonly VolumeResult[], out: string): void {
  for (const { category, volume_ml, unmeasured } of volumes)
    if (volume_ml === null) consoleLogger.warn(`${category}: no volume, ${unmeasured}`);
    else consoleLogger.info(`${category}: ${volume_ml.toFixed(2)} ml: ${join(out, 'volumes.json')}`);
}

/** A frame of a file has its address after `#`, and no path of its own. */
async function real(path: string): Promise<string> {
  const [, file = path, part = ''] = /^(.*?)(#[^#/]*)?$/.exec(path) ?? [];
  const whole = await realpath(path).catch(() => undefined);
  if (whole !== undefined) return whole;
  return `${await realpath(file).catch(() => file)}${part}`;
}
