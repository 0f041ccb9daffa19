import { tf } from '../../backend/index.js';
import type { Sam, SamConfig } from '../../models/sam/index.js';
import type { Sam2, Sam2Config } from '../../models/sam2/index.js';
import type { SamusConfig } from '../../models/samus/index.js';
import { type ForwardContext, inference } from '../../nn/index.js';
import { resizeAntialiased } from '../../ops/index.js';
import { loadSam, loadSam2, loadSamus } from '../../pretrained/index.js';
import { watchBlocks } from '../watch-blocks.js';
import type { RawInputs } from './raw-inputs.js';

export type RawMasker =
  | { readonly type: 'sam2'; readonly config: Sam2Config }
  | { readonly type: 'sam'; readonly config: SamConfig }
  | { readonly type: 'samus'; readonly config: SamusConfig };

export interface RawMaskOptions {
  /** The model's folder or file. */
  readonly path: string;
  readonly multimask: boolean;
  /** Also return what each block computes, as `blocks.N.NAME`, in order. */
  readonly blocks: boolean;
}

/** Outputs of one forward pass of a SAM 2, SAM or SAMUS, under Hugging Face's names. */
export async function rawMasks(
  kind: RawMasker,
  inputs: RawInputs,
  { path, multimask, blocks }: RawMaskOptions,
): Promise<Record<string, tf.Tensor>> {
  checkInputs(kind, inputs);
  const model = await modelOf(kind, path);
  try {
    return tf.tidy(() => {
      const seen: Record<string, tf.Tensor> = {};
      const context = blocks ? watchBlocks(seen, ({ index, name }) => `blocks.${index}.${name}`) : inference;
      const pixelValues = inputs.image('pixel_values');
      const prompts = { ...promptsOf(inputs), masks: readMaskInputs(kind, inputs), multimask };
      const outputs =
        kind.type === 'sam2'
          ? sam2Outputs(model as Sam2, pixelValues, prompts, context)
          : samOutputs(model as Sam, pixelValues, prompts, context);
      return { ...outputs, ...seen };
    });
  } finally {
    model.dispose();
  }
}

async function modelOf(kind: RawMasker, path: string): Promise<Sam | Sam2> {
  if (kind.type === 'sam2') return loadSam2(path, kind.config);
  return kind.type === 'sam' ? loadSam(path, kind.config) : (await loadSamus(path)).model;
}

type Prompts = Omit<Parameters<Sam2['decodeMasks']>[0], 'features'>;

function sam2Outputs(
  model: Sam2,
  pixelValues: tf.Tensor4D,
  prompts: Prompts,
  context: ForwardContext,
): Record<string, tf.Tensor> {
  const features = model.encodeImage(pixelValues, context);
  const { predMasks, iouScores, objectScoreLogits } = model.decodeMasks({ features, ...prompts }, context);
  return { pred_masks: predMasks, iou_scores: iouScores, object_score_logits: objectScoreLogits };
}

function samOutputs(model: Sam, pixelValues: tf.Tensor4D, prompts: Prompts, context: ForwardContext): Record<string, tf.Tensor> {
  const features = model.encodeImage(pixelValues, context);
  const { predMasks, iouScores } = model.decodeMasks({ features, ...prompts }, context);
  return { pred_masks: predMasks, iou_scores: iouScores };
}

function checkInputs({ type, config }: RawMasker, inputs: RawInputs): void {
  const { imageSize: side } = config.promptEncoder;
  const channels = type === 'sam2' ? config.backbone.numChannels : config.vision.numChannels;
  const [b] = inputs.sizes('pixel_values', ['B', channels, side, side], {});
  const [, n] = inputs.sizes('input_boxes', ['B', 'N', 4], { B: b }, 'optional');
  const [, points, p] = inputs.sizes('input_points', ['B', 'N', 'P', 2], { B: b, N: n }, 'optional');
  inputs.sizes('input_labels', ['B', 'N', 'P'], { B: b, N: points, P: p }, 'optional');
  // SAM 2 resizes earlier masks to its own resolution, SAM expects them to have it.
  const low = lowResolution(config);
  inputs.sizes('input_masks', ['B', 1, 'H', 'W'], type === 'sam2' ? { B: b } : { B: b, H: low, W: low }, 'optional');
  if (inputs.has('input_labels') && !inputs.has('input_points')) inputs.problem('input_labels needs input_points');
  inputs.range('input_labels', -10, 3);
  inputs.check(['pixel_values', 'input_boxes', 'input_points', 'input_labels', 'input_masks']);
}

/** Side length of the decoder's low-resolution masks, both inputs and outputs. */
function lowResolution({ promptEncoder: { imageSize, patchSize } }: RawMasker['config']): number {
  return 4 * Math.floor(imageSize / patchSize);
}

function promptsOf(inputs: RawInputs): Pick<Prompts, 'boxes' | 'points' | 'labels'> {
  const points = inputs.float<tf.Tensor4D>('input_points');
  // Points without labels count as inside, as in the reference.
  const labels: tf.Tensor3D | undefined =
    inputs.whole<tf.Tensor3D>('input_labels') ??
    (points && tf.ones<tf.Rank.R3>(points.shape.slice(0, 3) as [number, number, number], 'int32'));
  return { boxes: inputs.float<tf.Tensor3D>('input_boxes'), points, labels };
}

function readMaskInputs({ config }: RawMasker, inputs: RawInputs): tf.Tensor4D | undefined {
  if (!inputs.has('input_masks')) return undefined;
  const side = lowResolution(config);
  return resizeAntialiased(inputs.image('input_masks'), [side, side]);
}
