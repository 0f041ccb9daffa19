import { tf } from '../backend/index.js';
import { groundingDinoToHuggingFace } from '../models/grounding-dino/index.js';
import { inference } from '../nn/index.js';
import type { DetectorParts } from '../pretrained/index.js';
import { Rng } from '../util/index.js';
import type { Program } from './program.js';
import { between, sampleImage } from './samples.js';

export interface DetectorShape {
  readonly height: number;
  readonly width: number;
  /** Number of tokens that prompts are padded to. */
  readonly textLength: number;
}

/** The detector as a function of images and prompts, with Hugging Face's tensor names. */
export function detectorProgram({ model, config }: Pick<DetectorParts, 'model' | 'config'>, shape: DetectorShape): Program {
  const { height, width, textLength } = shape;
  return {
    signature: 'serving_default',
    inputs: {
      pixel_values: { layout: '[B, H, W, 3]', meaning: 'normalised RGB, zero-padded on the right and bottom' },
      pixel_mask: { layout: '[B, H, W]', meaning: '1 on the image, 0 on padding' },
      input_ids: { layout: '[B, T]', meaning: 'token ids of the prompt, padded with 0' },
      attention_mask: { layout: '[B, T]', meaning: '1 on tokens, 0 on padding' },
      token_type_ids: { layout: '[B, T]', meaning: '0 throughout' },
    },
    outputs: {
      logits: { layout: '[B, Q, maxTextLen]', meaning: 'agreement of each query with each token; -inf where there is no text' },
      pred_boxes: {
        layout: '[B, Q, 4]',
        meaning: 'centre x, centre y, width, height, relative to the image without padding',
      },
    },
    dynamic: {
      name: 'B',
      inputs: { pixel_values: 0, pixel_mask: 0, input_ids: 0, attention_mask: 0, token_type_ids: 0 },
      outputs: { logits: 0, pred_boxes: 0 },
    },
    samples(variant, batch) {
      const rng = Rng.seeded(1000 + variant);
      const ids = new Int32Array(batch * textLength);
      const mask = new Int32Array(batch * textLength);
      const images: tf.Tensor3D[] = [];
      const masks: tf.Tensor2D[] = [];
      for (let b = 0; b < batch; b++) {
        const prompt = samplePrompt(rng, textLength, config.textConfig.vocabSize);
        ids.set(prompt, b * textLength);
        mask.fill(1, b * textLength, b * textLength + prompt.length);
        // The first sample fills its image, the others leave some padding.
        const [h, w] =
          variant + b === 0
            ? [height, width]
            : [between(rng, Math.ceil(height / 2), height), between(rng, Math.ceil(width / 2), width)];
        const { image, inside } = sampleImage(rng, { height, width }, { height: h, width: w });
        images.push(image);
        masks.push(inside);
      }
      const inputs = {
        pixel_values: tf.stack(images),
        pixel_mask: tf.stack(masks),
        input_ids: tf.tensor2d(ids, [batch, textLength], 'int32'),
        attention_mask: tf.tensor2d(mask, [batch, textLength], 'int32'),
        token_type_ids: tf.zeros([batch, textLength], 'int32'),
      };
      tf.dispose([images, masks]);
      return inputs;
    },
    run(inputs) {
      const { pixel_values, pixel_mask, input_ids, attention_mask, token_type_ids } = inputs as Record<string, tf.Tensor>;
      const answer = model.forward(
        {
          pixelValues: pixel_values as tf.Tensor4D,
          pixelMask: pixel_mask as tf.Tensor3D,
          inputIds: input_ids as tf.Tensor2D,
          attentionMask: attention_mask as tf.Tensor2D,
          tokenTypeIds: token_type_ids as tf.Tensor2D,
        },
        inference,
      );
      const { logits, predBoxes } = groundingDinoToHuggingFace(answer, attention_mask as tf.Tensor2D, config);
      return { logits, pred_boxes: predBoxes };
    },
  };
}

/** [CLS], phrases of one to three tokens, each closed by a full stop, [SEP]. */
function samplePrompt(rng: Rng, length: number, vocabulary: number): number[] {
  const [cls, sep, dot] = [101, 102, 1012].map((id) => Math.min(id, vocabulary - 1)) as [number, number, number];
  const ids = [cls];
  const phrases = between(rng, 1, 4);
  for (let k = 0; k < phrases; k++) {
    const words = between(rng, 1, 3);
    if (ids.length + words + 2 > length) break;
    for (let i = 0; i < words; i++) ids.push(between(rng, 0, vocabulary - 1));
    ids.push(dot);
  }
  return [...ids, sep];
}
