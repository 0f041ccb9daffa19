import { join } from 'node:path';
import { ellipsoidVolume } from '../../measure/index.js';
import { writeFileAtomic } from '../../util/index.js';
import type { FoundInImage } from './coco-result.js';

/** The file of volumes in an output folder. */
const VOLUMES = 'volumes.json';

/** An image that shows a plane. */
export interface FoundInPlane {
  readonly fileName: string;
  /** Undefined where it could not be segmented. */
  readonly results: readonly Pick<FoundInImage, 'category' | 'measures' | 'unmeasured'>[] | undefined;
}

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
 * @param planes - the longitudinal and the transverse image, with what was found in each, best first.
 * @param categories - the phrases.
 */
export async function writeVolumes(
  out: string,
  planes: readonly [FoundInPlane, FoundInPlane],
  categories: readonly string[],
): Promise<VolumeResult[]> {
  const volumes = categories.map((category) => volumeOf(category, planes));
  await writeFileAtomic(join(out, VOLUMES), `${JSON.stringify(volumes, null, 1)}\n`);
  return volumes;
}

function volumeOf(category: string, [longitudinal, transverse]: readonly [FoundInPlane, FoundInPlane]): VolumeResult {
  const found = [longitudinal, transverse].map(({ fileName, results }) => {
    if (results === undefined) return `${fileName}: it could not be segmented`;
    const best = results.find((result) => result.category === category);
    if (best === undefined) return `${fileName}: it was not found`;
    return best.measures ?? `${fileName}: ${best.unmeasured}`;
  });
  const planes = [longitudinal.fileName, transverse.fileName] as const;
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
