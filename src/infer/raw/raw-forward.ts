import { tf } from '../../backend/index.js';
import type { BiomedClipConfig } from '../../models/biomed-clip/index.js';
import type { BiomedParseConfig } from '../../models/biomed-parse/index.js';
import {
  type GroundingDinoConfig,
  groundingDinoToHuggingFace,
  parseGroundingDinoConfig,
} from '../../models/grounding-dino/index.js';
import type { UniverSegConfig } from '../../models/universeg/index.js';
import { inference } from '../../nn/index.js';
import {
  biomedClipConfigs,
  biomedParseConfigs,
  loadGroundingDino,
  maskerConfigs,
  readModelConfig,
  resolveModel,
  samusConfigs,
  universegConfigs,
} from '../../pretrained/index.js';
import { UsageError } from '../../util/index.js';
import { type NamedArray, readSafetensors, writeSafetensors } from '../../weights/formats/index.js';
import { rawBiomedClip } from './raw-biomed-clip.js';
import { rawBiomedParse } from './raw-biomed-parse.js';
import { RawInputs } from './raw-inputs.js';
import { type RawMasker, rawMasks } from './raw-masks.js';
import { rawUniverSeg } from './raw-universeg.js';

export interface RawForwardOptions {
  /**
   * A model directory of type `grounding-dino`, `sam2`, `sam2_video`, `sam`, `samus`, `universeg`, `clip` (BiomedCLIP) or
   * `biomedparse`, or a checkpoint of the authors.
   */
  readonly model: string;
  /** A safetensors file with Hugging Face's input names, images as NCHW. */
  readonly inputs: string;
  /** Output file, with Hugging Face's names. */
  readonly outputs: string;
  /** Folder of a LoRA adapter for Grounding DINO. */
  readonly adapter?: string | undefined;
  /** Several masks per prompt. Default: the metadata entry `multimask_output` of the inputs, else false. */
  readonly multimask?: boolean | undefined;
  /** Also write what each block of a masker computes, as `blocks.N.NAME`. Default: false. */
  readonly blocks?: boolean | undefined;
}

type Kind =
  | { readonly type: 'grounding-dino'; readonly config: GroundingDinoConfig }
  | { readonly type: 'universeg'; readonly config: UniverSegConfig }
  | { readonly type: 'clip'; readonly config: BiomedClipConfig }
  | { readonly type: 'biomedparse'; readonly config: BiomedParseConfig }
  | RawMasker;

/**
 * Runs one raw forward pass from file to file, for comparison with other implementations. Inputs are validated before the weights
 * are read.
 *
 * @returns the names of the outputs with their shapes.
 */
export async function rawForward(options: RawForwardOptions): Promise<Record<string, readonly number[]>> {
  const detector = (json: unknown): Kind => ({ type: 'grounding-dino', config: parseGroundingDinoConfig(json) });
  const model = await resolveModel(options.model);
  const kind = await readModelConfig<Kind>(model, {
    'grounding-dino': detector,
    'mm-grounding-dino': detector,
    ...maskerConfigs,
    samus: (json) => ({ type: 'samus', config: samusConfigs.samus(json) }),
    universeg: (json) => ({ type: 'universeg', config: universegConfigs.universeg(json) }),
    clip: (json) => ({ type: 'clip', config: biomedClipConfigs.clip(json) }),
    biomedparse: (json) => ({ type: 'biomedparse', config: biomedParseConfigs.biomedparse(json) }),
  });
  if (kind.type !== 'grounding-dino' && options.adapter !== undefined)
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: '--adapter',
      what: 'adapters are for grounding-dino',
      fix: 'Leave it out',
    });
  if (options.blocks === true && !['sam', 'sam2', 'samus'].includes(kind.type))
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: '--blocks',
      what: 'it is for maskers',
      fix: 'Leave it out',
    });
  const { arrays, metadata } = await readSafetensors(options.inputs);
  const inputs = new RawInputs(options.inputs, arrays);
  const outputs = await outputsOf(kind, inputs, { ...options, model }, metadata);
  const entries = await Promise.all(
    Object.entries(outputs).map(async ([name, tensor]): Promise<[string, NamedArray]> => {
      return [name, { dtype: 'float32', shape: tensor.shape, data: await tensor.data<'float32'>() }];
    }),
  );
  tf.dispose(outputs);
  await writeSafetensors(options.outputs, new Map(entries));
  return Object.fromEntries(entries.map(([name, { shape }]) => [name, shape]));
}

function outputsOf(
  kind: Kind,
  inputs: RawInputs,
  options: RawForwardOptions,
  metadata: Readonly<Record<string, string>>,
): Promise<Record<string, tf.Tensor>> {
  if (kind.type === 'grounding-dino') return groundingDino(kind.config, inputs, options);
  const states = flag(metadata, 'hidden_states', options.inputs);
  if (kind.type === 'universeg') return rawUniverSeg(kind.config, inputs, options.model, { states });
  if (kind.type === 'biomedparse') return rawBiomedParse(kind.config, inputs, options.model, { states });
  if (kind.type === 'clip') {
    const numbers = Object.entries(metadata).filter(([name]) => name === 'layer' || name === 'beta');
    const bottleneck = Object.fromEntries(numbers.map(([name, value]) => [name, Number(value)]));
    return rawBiomedClip(kind.config, inputs, options.model, { states, ...bottleneck });
  }
  const multimask = options.multimask ?? flag(metadata, 'multimask_output', options.inputs);
  return rawMasks(kind, inputs, { path: options.model, multimask, blocks: options.blocks ?? false });
}

async function groundingDino(
  config: GroundingDinoConfig,
  inputs: RawInputs,
  { model: dir, adapter }: RawForwardOptions,
): Promise<Record<string, tf.Tensor>> {
  const [b, , h, w] = inputs.sizes('pixel_values', ['B', 3, 'H', 'W'], {});
  const [, t] = inputs.sizes('input_ids', ['B', 'T'], { B: b });
  inputs.sizes('pixel_mask', ['B', 'H', 'W'], { B: b, H: h, W: w }, 'optional');
  inputs.sizes('attention_mask', ['B', 'T'], { B: b, T: t }, 'optional');
  inputs.sizes('token_type_ids', ['B', 'T'], { B: b, T: t }, 'optional');
  inputs.range('input_ids', 0, config.textConfig.vocabSize - 1);
  inputs.range('token_type_ids', 0, config.textConfig.typeVocabSize - 1);
  for (const name of ['attention_mask', 'pixel_mask']) inputs.range(name, 0, 1);
  inputs.check(['pixel_values', 'pixel_mask', 'input_ids', 'attention_mask', 'token_type_ids']);
  const model = await loadGroundingDino(dir, config, { adapter });
  const outputs = tf.tidy(() => {
    const inputIds = inputs.whole<tf.Tensor2D>('input_ids') as tf.Tensor2D;
    const attentionMask = inputs.whole<tf.Tensor2D>('attention_mask') ?? tf.onesLike(inputIds);
    const answer = model.forward(
      {
        pixelValues: inputs.image('pixel_values'),
        pixelMask: inputs.whole<tf.Tensor3D>('pixel_mask'),
        inputIds,
        attentionMask,
        tokenTypeIds: inputs.whole<tf.Tensor2D>('token_type_ids'),
      },
      inference,
    );
    const { logits, predBoxes } = groundingDinoToHuggingFace(answer, attentionMask, config);
    return { logits, pred_boxes: predBoxes };
  });
  model.dispose();
  return outputs;
}

function flag(metadata: Readonly<Record<string, string>>, name: string, file: string): boolean {
  const value = metadata[name] ?? 'false';
  if (value === 'true' || value === 'false') return value === 'true';
  throw new UsageError({
    code: 'E_INPUT_INVALID',
    where: `${file}: ${name}`,
    what: `expected true or false, got ${value}`,
  });
}
