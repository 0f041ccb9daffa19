import { z } from 'zod';
import { bounds } from '../common/index.js';

/** Sizes of a FocalNet in the form that BiomedParse has: convolutional stems, post-norm, layer scale, scaled modulators. */
export interface FocalNetConfig {
  /** Channels of the first stage; each further one has twice as many. */
  readonly embedDim: number;
  /** Blocks of each stage. */
  readonly depths: readonly number[];
  /** Depthwise convolutions of each stage's blocks, one after another. */
  readonly focalLevels: readonly number[];
  /** Kernel of the first of them in each stage; each further one is larger by 2. */
  readonly focalWindows: readonly number[];
  readonly mlpRatio: number;
  /** Probability of skipping a sample in the last block in training; increases linearly from 0 over all blocks. */
  readonly dropPathRate: number;
}

/** Published sizes of FocalNet-L with four focal levels. */
const LARGE = { depths: [2, 2, 18, 2], focal_levels: [4, 4, 4, 4], focal_windows: [3, 3, 3, 3] };

/** The fields of a FocalNet in a `config.json`, checked; those that are missing take the values of FocalNet-L. */
export const focalNetSchema = z
  .object({
    embed_dim: bounds.width.default(192),
    depths: bounds.blocks.default(LARGE.depths),
    focal_levels: bounds.listOf(bounds.layers).default(LARGE.focal_levels),
    focal_windows: bounds.listOf(bounds.windowSide).default(LARGE.focal_windows),
    mlp_ratio: bounds.ratio.default(4),
    drop_path_rate: z.number().min(0).lt(1).default(0.3),
  })
  .superRefine((c, context) => {
    const wrong = (field: keyof typeof c, message: string) => context.addIssue({ code: 'custom', path: [field], message });
    for (const field of ['focal_levels', 'focal_windows'] as const)
      if (c[field].length !== c.depths.length)
        wrong(field, `expected ${c.depths.length} numbers, one for each stage, got ${c[field].length}`);
    const even = c.focal_windows.find((side) => side % 2 === 0);
    if (even !== undefined) wrong('focal_windows', `expected odd sizes, got ${even}`);
  })
  .transform(
    (c): FocalNetConfig => ({
      embedDim: c.embed_dim,
      depths: c.depths,
      focalLevels: c.focal_levels,
      focalWindows: c.focal_windows,
      mlpRatio: c.mlp_ratio,
      dropPathRate: c.drop_path_rate,
    }),
  );
