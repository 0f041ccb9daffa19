import { z } from 'zod';
import { ConfigError, shown } from '../../util/index.js';
import { bounds } from '../common/index.js';

/** Blocks of one width. The first block changes resolution and width. */
interface EfficientNetStage {
  /** Channels inside a block, as a multiple of those that enter it. 1: without the first convolution. */
  readonly expansion: number;
  readonly kernelSize: number;
  /** Of the first block; 1 in all others. */
  readonly stride: number;
  readonly channels: number;
  readonly repeats: number;
}

/** An EfficientNet-Lite as the backbone of a detector. */
export interface EfficientNetConfig {
  readonly numChannels: number;
  readonly stemChannels: number;
  /** Only those that the output maps need. */
  readonly stages: readonly EfficientNetStage[];
  /** Indices of the stages whose results are the output maps, in order. */
  readonly outputs: readonly number[];
}

/** EfficientNet-B0's stages: expansion, kernel size, stride, channels, repeats. */
const B0 = [
  [1, 3, 1, 16, 1],
  [6, 3, 2, 24, 2],
  [6, 5, 2, 40, 2],
  [6, 3, 2, 80, 3],
  [6, 5, 1, 112, 3],
  [6, 5, 2, 192, 4],
  [6, 3, 1, 320, 1],
] as const;

/** Factors of the channels and of the repeats. The first and last stage are never repeated, and the stem never widened. */
const FACTORS: Readonly<Record<string, readonly [number, number]>> = {
  tf_efficientnet_lite0: [1, 1],
  tf_efficientnet_lite1: [1, 1.1],
  tf_efficientnet_lite2: [1.1, 1.2],
  tf_efficientnet_lite3: [1.2, 1.4],
  tf_efficientnet_lite4: [1.4, 1.8],
};

/** The last stage at each resolution, from half the image's size to a 32nd. */
const LEVELS = [0, 1, 2, 4, 6] as const;

const schema = z.object({
  model_type: z.literal('timm_backbone'),
  backbone: z.string().max(100),
  num_channels: bounds.heads.default(3),
  features_only: z.literal(true).default(true),
  // Otherwise transformers 5.18 replaces the norms, and with them the activations that timm's norms contain.
  freeze_batch_norm_2d: z.literal(true),
  out_indices: bounds.listOf(z.number().int()).nullish(),
  output_stride: z.literal(32).nullish(),
});

/** Whether a `backbone_config` names a model of timm, whatever that is. */
export function isTimmBackbone(json: Readonly<Record<string, unknown>>): boolean {
  return json['model_type'] === 'timm_backbone';
}

/**
 * Parses the `backbone_config` of a Hugging Face `config.json` that names an EfficientNet-Lite of timm: transformers'
 * `TimmBackboneConfig`. Output maps are numbered from half the image's size (0) to a 32nd (4).
 *
 * @throws ConfigError listing every problem.
 * @see Tan and Le 2019, "EfficientNet"; timm 1.0 models/efficientnet.py, `_gen_efficientnet_lite`
 */
export function parseEfficientNetConfig(json: unknown): EfficientNetConfig {
  const parsed = schema.safeParse(json, { reportInput: true });
  if (!parsed.success)
    throw invalid(parsed.error.issues.map(({ path, message, input }) => `${path.join('.')}: ${message}, got ${shown(input)}`));
  const { backbone, num_channels: numChannels, out_indices: indices } = parsed.data;
  const factors = FACTORS[backbone];
  if (factors === undefined)
    throw invalid([`backbone: expected one of ${Object.keys(FACTORS).join(', ')}, got ${shown(backbone)}`]);
  const levels = (indices ?? [-1]).map((index) => (index < 0 ? index + LEVELS.length : index));
  const ascending = levels.length > 0 && levels.every((level, i) => level > (levels[i - 1] ?? -1) && level < LEVELS.length);
  if (!ascending)
    throw invalid([`out_indices: expected ascending numbers from 0 to ${LEVELS.length - 1}, got [${levels.join(', ')}]`]);
  const outputs = levels.map((level) => LEVELS[level] as number);
  return { numChannels, stemChannels: 32, stages: scaled(factors).slice(0, Math.max(...outputs) + 1), outputs };
}

function scaled([width, depth]: readonly [number, number]): EfficientNetStage[] {
  return B0.map(([expansion, kernelSize, stride, channels, repeats], i) => {
    const fixed = i === 0 || i === B0.length - 1;
    return {
      expansion,
      kernelSize,
      stride,
      channels: multipleOf8(channels * width),
      repeats: fixed ? repeats : Math.ceil(repeats * depth),
    };
  });
}

/** The next multiple of 8, unless that takes more than a tenth away. */
function multipleOf8(channels: number): number {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}

function invalid(problems: readonly string[]): ConfigError {
  return new ConfigError({ code: 'E_MODEL_CONFIG', where: 'EfficientNet config', what: problems.join('; ') });
}
