import { z } from 'zod';
import type { RasterImage, Size } from '../imaging/index.js';
import { CheckpointError, modelPath, readModelText, shownName } from '../util/index.js';
import { betaCdf } from './beta-cdf.js';

/** What a mask shows, each in [0, 1): its mean probability, and the mean of each colour channel within. */
type MaskStatistics = readonly [probability: number, red: number, green: number, blue: number];

const parameter = z.number().positive().max(1e9);
const parameters = z.tuple([parameter, parameter]);
const schema = z.record(z.string(), z.record(z.string(), z.tuple([parameters, parameters, parameters, parameters])));

/** How the statistics of right masks are distributed, as beta distributions, by modality and structure: BiomedParse's `target_dist.json`. */
export type MaskDistributions = Readonly<
  Record<string, Readonly<Record<string, readonly [BetaParameters, BetaParameters, BetaParameters, BetaParameters]>>>
>;

/** Both parameters of a beta distribution. */
export type BetaParameters = readonly [a: number, b: number];

/** Probability, in levels of 256, from which on a pixel counts for the statistics. */
const INSIDE = 128;
/** Levels of the statistics. The authors divide by 256, not 255. */
const LEVELS = 256;

/**
 * Reads `target_dist.json` in a model directory.
 *
 * @returns undefined if there is none: masks are then not tested.
 * @throws CheckpointError when it does not hold four beta distributions for each structure.
 */
export async function readMaskDistributions(modelDir: string): Promise<MaskDistributions | undefined> {
  const where = modelPath(modelDir, 'target_dist.json');
  const json = await readModelText(where);
  if (json === undefined) return undefined;
  try {
    const parsed = schema.safeParse(JSON.parse(json));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new Error(`${shownName(issue?.path.join('.') ?? '')}: ${issue?.message}`);
  } catch (cause) {
    throw new CheckpointError({
      code: 'E_MODEL_DAMAGED',
      where,
      what: `expected four beta distributions for each structure of each modality (${(cause as Error).message})`,
      fix: 'Copy or download it again, or remove it',
      cause,
    });
  }
}

/**
 * How likely a right mask of a structure looks no more usual than this one: the product of Kolmogorov-Smirnov tests of its four
 * statistics, each of a sample of one, to the power of 1/4. A mask without pixels has 0.
 *
 * @param probability - of each pixel of the image, in [0, 1].
 * @returns undefined if the distributions have no such structure in ultrasound.
 * @see microsoft/BiomedParse, `inference_utils/output_processing.py`, `check_mask_stats`
 */
export async function maskPValue(
  distributions: MaskDistributions,
  structure: string,
  probability: Size & { readonly data: Float32Array },
  image: RasterImage,
): Promise<number | undefined> {
  const own = Object.entries(distributions).flatMap(([modality, targets]) =>
    /^ultrasound/i.test(modality) && Object.hasOwn(targets, structure) ? [targets[structure]] : [],
  )[0];
  if (own === undefined) return undefined;
  const { lgamma } = await import('mathjs/number');
  const statistics = statisticsOf(probability.data, image);
  const product = own.reduce((p, beta, i) => {
    const share = betaCdf(statistics[i] as number, beta, lgamma);
    return p * 2 * Math.min(share, 1 - share);
  }, 1);
  return product ** 0.25;
}

function statisticsOf(probability: Float32Array, { data }: RasterImage): MaskStatistics {
  const sums: [number, number, number, number] = [0, 0, 0, 0];
  let count = 0;
  for (const [i, value] of probability.entries()) {
    const level = value * 255;
    if (level < INSIDE) continue;
    count += 1;
    sums[0] += level;
    for (let c = 0; c < 3; c++) sums[c + 1] = (sums[c + 1] as number) + (data[3 * i + c] as number);
  }
  return sums.map((sum) => (count === 0 ? 0 : sum / count / LEVELS)) as unknown as MaskStatistics;
}
