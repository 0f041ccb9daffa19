import { tf } from '../backend/index.js';
import type { Sam2Parts } from '../infer/index.js';
import type { MaskOutputs } from '../models/sam2/index.js';
import { inference } from '../nn/index.js';
import { Rng } from '../util/index.js';
import type { PortMeaning, Program } from './program.js';
import { between, sampleImage } from './samples.js';

/** How many boxes or points a call of the decoder takes. */
export interface MaskerShape {
  /** Points of each prompt; fewer are padded with label -10. */
  readonly points: number;
}

const FEATURES = {
  image_embeddings: { layout: '[1, h, w, C]', meaning: 'what the encoder makes of the image' },
  high_res_0: { layout: '[1, 4h, 4w, C / 8]', meaning: 'its finest map' },
  high_res_1: { layout: '[1, 2h, 2w, C / 4]', meaning: 'its middle map' },
} as const satisfies Record<string, PortMeaning>;

const BOXES = {
  input_boxes: { layout: '[1, N, 4]', meaning: 'left, top, right, bottom in pixels of the resized image' },
} as const;

const POINTS = {
  input_points: { layout: '[1, N, P, 2]', meaning: 'x, y in pixels of the resized image' },
  input_labels: { layout: '[1, N, P]', meaning: '1 inside, 0 outside, -10 padding' },
} as const;

const MASKS = {
  pred_masks: { layout: '[1, N, 1, 4h, 4w]', meaning: 'logits, positive inside' },
  iou_scores: { layout: '[1, N, 1]', meaning: 'expected IoU of each mask' },
  object_score_logits: { layout: '[1, N, 1]', meaning: 'positive where there is an object' },
} as const;

/** The masker as three functions: image to features, and features with boxes or points to masks. */
export function maskerPrograms({ model, config }: Pick<Sam2Parts, 'model' | 'config'>, { points }: MaskerShape): Program[] {
  const side = config.promptEncoder.imageSize;
  const image = (variant: number) => {
    const size = { height: side, width: side };
    const { image: values, inside } = sampleImage(Rng.seeded(2000 + variant), size, size);
    inside.dispose();
    const batch = values.expandDims<tf.Tensor4D>(0);
    values.dispose();
    return batch;
  };
  const encode = (pixels: tf.Tensor) => {
    const { embeddings, highRes0, highRes1 } = model.encodeImage(pixels as tf.Tensor4D, inference);
    return { image_embeddings: embeddings, high_res_0: highRes0, high_res_1: highRes1 };
  };
  const features = (variant: number) => tf.tidy(() => encode(image(variant))) as Record<keyof typeof FEATURES, tf.Tensor>;
  const decode = (x: Readonly<Record<string, tf.Tensor>>) =>
    named(
      model.decodeMasks(
        {
          features: {
            embeddings: x['image_embeddings'] as tf.Tensor4D,
            highRes0: x['high_res_0'] as tf.Tensor4D,
            highRes1: x['high_res_1'] as tf.Tensor4D,
          },
          boxes: x['input_boxes'] as tf.Tensor3D | undefined,
          points: x['input_points'] as tf.Tensor4D | undefined,
          labels: x['input_labels'] as tf.Tensor3D | undefined,
          multimask: false,
        },
        inference,
      ),
    );
  const many = (inputs: readonly string[]) => ({
    name: 'N',
    inputs: Object.fromEntries(inputs.map((name) => [name, 1])),
    outputs: Object.fromEntries(Object.keys(MASKS).map((name) => [name, 1])),
  });
  return [
    {
      signature: 'serving_default',
      inputs: { pixel_values: { layout: '[1, S, S, 3]', meaning: 'normalised RGB of the resized image' } },
      outputs: FEATURES,
      samples: (variant) => ({ pixel_values: image(variant) }),
      run: (x) => encode(x['pixel_values'] as tf.Tensor),
    },
    {
      signature: 'decode_boxes',
      inputs: { ...FEATURES, ...BOXES },
      outputs: MASKS,
      dynamic: many(['input_boxes']),
      samples: (variant, n) => ({ ...features(variant), input_boxes: sampleBoxes(Rng.seeded(3000 + variant), n, side) }),
      run: decode,
    },
    {
      signature: 'decode_points',
      inputs: { ...FEATURES, ...POINTS },
      outputs: MASKS,
      dynamic: many(['input_points', 'input_labels']),
      samples: (variant, n) => ({ ...features(variant), ...samplePoints(Rng.seeded(4000 + variant), n, points, side) }),
      run: decode,
    },
  ];
}

function named({ predMasks, iouScores, objectScoreLogits }: MaskOutputs): Record<keyof typeof MASKS, tf.Tensor> {
  return { pred_masks: predMasks, iou_scores: iouScores, object_score_logits: objectScoreLogits };
}

function sampleBoxes(rng: Rng, n: number, side: number): tf.Tensor3D {
  const boxes = Array.from({ length: n }, () => {
    const [x, y] = [rng.uniform(0, side / 2), rng.uniform(0, side / 2)];
    return [x, y, x + rng.uniform(side / 8, side / 2), y + rng.uniform(side / 8, side / 2)];
  });
  return tf.tensor3d([boxes]);
}

/** Points inside and outside, the last ones of some prompts left out. */
function samplePoints(rng: Rng, n: number, count: number, side: number) {
  const points = Array.from({ length: n }, () =>
    Array.from({ length: count }, () => [rng.uniform(0, side), rng.uniform(0, side)]),
  );
  const labels = points.map((prompt) => {
    const used = between(rng, 1, count);
    return prompt.map((_, i) => (i >= used ? -10 : i === 0 ? 1 : between(rng, 0, 1)));
  });
  return { input_points: tf.tensor4d([points]), input_labels: tf.tensor3d([labels], undefined, 'int32') };
}
