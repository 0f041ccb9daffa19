import { tf } from '../../backend/index.js';
import { type BiomedClip, type BiomedClipConfig, type BiomedClipInputs, patchesAcross } from '../../models/biomed-clip/index.js';
import { inference } from '../../nn/index.js';
import { loadBiomedClipModel } from '../../pretrained/index.js';
import { informationOfPatches } from '../medclip-sam/index.js';
import { pathsOf, watchBlocks } from '../watch-blocks.js';
import type { RawInputs } from './raw-inputs.js';

/** What to compute besides features and cosines. */
export interface RawBiomedClipOptions {
  /** The result of every block, by the path of its first module. */
  readonly states: boolean;
  /** Of the bottleneck of M2IB, which runs if the inputs have its `noise`. Default: MedCLIP-SAMv2's for ultrasound. */
  readonly layer?: number;
  readonly beta?: number;
}

/** The features and cosines of one forward pass of a BiomedCLIP; with `noise` for each step, also the information of the patches. */
export async function rawBiomedClip(
  config: BiomedClipConfig,
  inputs: RawInputs,
  path: string,
  { states, layer = 9, beta = 1 }: RawBiomedClipOptions,
): Promise<Record<string, tf.Tensor>> {
  const { imageSize, numChannels, hiddenSize, numHiddenLayers } = config.vision;
  const explained = inputs.has('noise');
  const one = explained ? { B: 1, N: 1 } : {};
  inputs.sizes('pixel_values', ['B', numChannels, imageSize, imageSize], one);
  const [n, t] = inputs.sizes('input_ids', ['N', 'T'], one);
  inputs.sizes('attention_mask', ['N', 'T'], { N: n, T: t }, 'optional');
  inputs.sizes('noise', ['steps', 'copies', 1 + patchesAcross(config.vision) ** 2, hiddenSize], {}, 'optional');
  if (explained && !(Number.isInteger(layer) && layer >= 0 && layer < numHiddenLayers - 1))
    inputs.problem(`layer: expected an integer from 0 to ${numHiddenLayers - 2}, got ${layer}`);
  if (!(beta >= 0)) inputs.problem(`beta: expected a number from 0 on, got ${beta}`);
  inputs.range('input_ids', 0, config.text.vocabSize - 1);
  inputs.range('attention_mask', 0, 1);
  if (t !== undefined && t > config.text.maxPositionEmbeddings)
    inputs.problem(`input_ids: expected at most ${config.text.maxPositionEmbeddings} tokens, got ${t}`);
  inputs.check(['pixel_values', 'input_ids', 'attention_mask', 'noise']);
  const model = await loadBiomedClipModel(path, config);
  try {
    const seen: Record<string, tf.Tensor> = {};
    const paths = pathsOf(model);
    const watching = watchBlocks(seen, ({ owner, first }) => (first ? paths.get(owner) : undefined));
    const outputs = tf.tidy(() => {
      const texts = {
        inputIds: inputs.whole<tf.Tensor2D>('input_ids') as tf.Tensor2D,
        attentionMask: inputs.whole<tf.Tensor2D>('attention_mask'),
      };
      const given = { pixelValues: inputs.image('pixel_values'), ...texts };
      const { imageEmbeds, textEmbeds, logitsPerImage } = model.forward(given, states ? watching : inference);
      const outputs = { image_embeds: imageEmbeds, text_embeds: textEmbeds, logits_per_image: logitsPerImage };
      if (!explained) return outputs;
      model.setTrainable(false);
      return { ...outputs, information: information(model, inputs, given, { layer, beta }) };
    });
    return { ...seen, ...outputs };
  } finally {
    model.dispose();
  }
}

function information(
  model: BiomedClip,
  inputs: RawInputs,
  { pixelValues, ...texts }: BiomedClipInputs,
  bottleneck: { readonly layer: number; readonly beta: number },
): tf.Tensor {
  const noise = inputs.float<tf.Tensor4D>('noise') as tf.Tensor4D;
  const [steps, copies, ...state] = noise.shape;
  const ofStep = (step: number) =>
    tf.reshape(tf.slice(noise, [step, 0, 0, 0], [1, copies, ...state]), [copies, ...state]) as tf.Tensor3D;
  const textFeatures = model.text.forward(texts, inference);
  return informationOfPatches(model, { pixelValues, textFeatures }, { ...bottleneck, steps, copies }, ofStep);
}
