import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ellipsoidVolume } from '../../measure/index.js';
import { writeFileAtomic } from '../../util/index.js';
import type { CocoResult } from './coco-result.js';

/** The file of volumes in an output folder. */
const VOLUMES = 'volumes.json';

/** The volume of one structure, as written to `volumes.json`. */
export interface VolumeResult {
  readonly category: string;
  /** Files of the longitudinal and of the transverse plane. */
  readonly planes: readonly [longitudinal: string, transverse: string];
  /** Millilitres; null where the structure has no measures in one of the planes. */
  readonly volume_ml: number | null;
  /** Why there is no volume. */
  readonly unmeasured?: string;
  readonly diameters_mm?: readonly [length: number, width: number, height: number];
  /** The diameter that both planes show, in the first over that in the second: about 1 for planes at right angles. */
  readonly agreement?: number;
}

/**
 * Computes the volume of each structure from the best result in each of two planes, by the ellipsoid formula, and writes
 * `volumes.json`.
 *
 * @param out - output folder of a finished batch.
 * @param planes - `fileName` of the longitudinal and of the transverse image.
 * @param categories - the phrases.
 */
export async function writeVolumes(
  out: string,
  planes: readonly [string, string],
  categories: readonly string[],
): Promise<VolumeResult[]> {
  const results = JSON.parse(await readFile(join(out, 'results.json'), 'utf8')) as CocoResult[];
  const volumes = categories.map((category) => volumeOf(category, planes, results));
  await writeFileAtomic(join(out, VOLUMES), `${JSON.stringify(volumes, null, 1)}\n`);
  return volumes;
}

function volumeOf(category: string, planes: readonly [string, string], results: readonly CocoResult[]): VolumeResult {
  const found = planes.map((file) => {
    // Best first within an image.
    const best = results.find((result) => result.file_name === file && result.category === category);
    if (best === undefined) return `${file}: it was not found`;
    return best.measures ?? `${file}: ${best.unmeasured}`;
  });
  const [first, second] = found;
  const reason = found.find((one) => typeof one === 'string');
  if (typeof first !== 'object' || typeof second !== 'object')
    return { category, planes, volume_ml: null, ...(typeof reason === 'string' && { unmeasured: reason }) };
  const axes = ({ long_axis_mm, short_axis_mm }: typeof first) => ({
    longAxis: { mm: long_axis_mm },
    shortAxis: { mm: short_axis_mm },
  });
  const { ml, diametersMm, agreement } = ellipsoidVolume(axes(first), axes(second));
  return { category, planes, volume_ml: rounded(ml), diameters_mm: diametersMm, agreement: rounded(agreement) };
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}
