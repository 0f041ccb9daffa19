import { tf } from '../backend/index.js';
import { Sam2Video } from '../models/sam2/index.js';
import type { MaskerParts } from '../pretrained/index.js';
import { Rng } from '../util/index.js';
import { maskerGraph } from './masker-graph.js';
import { memoryPrograms } from './memory-programs.js';
import type { Program } from './program.js';
import { between, sampleImage } from './samples.js';

/** Number of boxes and points per call of the decoder. */
export interface MaskerShape {
  /** Points per prompt; shorter prompts are padded with label -10. */
  readonly points: number;
}

const BOXES = {
  input_boxes: { layout: '[1, N, 4]', meaning: 'left, top, right, bottom in pixels of the resized image' },
} as const;

const POINTS = {
  input_points: { layout: '[1, N, P, 2]', meaning: 'x, y in pixels of the resized image' },
  input_labels: { layout: '[1, N, P]', meaning: '1 inside, 0 outside, -10 padding' },
} as const;

const EARLIER = { input_masks: { layout: '[1, 4h, 4w, 1]', meaning: 'logits of an earlier mask' } } as const;

const ADDED = {
  mask_embeddings: {
    layout: '[1, h, w, C]',
    meaning: 'added to image_embeddings, it makes the decoder refine the earlier mask',
  },
} as const;

/**
 * The masker as functions: image to features; features with boxes, points, or both to masks; and an earlier mask to its
 * embedding, which is added to the features. Then those of its memory, if it has one.
 */
export function maskerPrograms(parts: Pick<MaskerParts, 'type' | 'model' | 'config'>, { points }: MaskerShape): Program[] {
  const { side, maskSide, features, answers, encode, decode, embedMasks } = maskerGraph(parts);
  const image = (variant: number) => {
    const size = { height: side, width: side };
    const { image: values, inside } = sampleImage(Rng.seeded(2000 + variant), size, size);
    inside.dispose();
    const batch = values.expandDims<tf.Tensor4D>(0);
    values.dispose();
    return batch;
  };
  const encoded = (variant: number) => tf.tidy(() => encode(image(variant)));
  const boxes = (variant: number, n: number) => ({ input_boxes: sampleBoxes(Rng.seeded(3000 + variant), n, side) });
  const clicks = (variant: number, n: number) => samplePoints(Rng.seeded(4000 + variant), n, points, side);
  const decoder = (
    signature: string,
    prompts: Program['inputs'],
    samples: (variant: number, n: number) => Record<string, tf.Tensor>,
  ): Program => ({
    signature,
    inputs: { ...features, ...prompts },
    outputs: answers,
    dynamic: { name: 'N', inputs: secondAxis(prompts), outputs: secondAxis(answers) },
    samples: (variant, n) => ({ ...encoded(variant), ...samples(variant, n) }),
    run: decode,
  });
  return [
    {
      signature: 'serving_default',
      inputs: { pixel_values: { layout: '[1, S, S, 3]', meaning: 'normalised RGB of the resized image' } },
      outputs: features,
      samples: (variant) => ({ pixel_values: image(variant) }),
      run: (x) => encode(x['pixel_values'] as tf.Tensor4D),
    },
    decoder('decode_boxes', BOXES, boxes),
    decoder('decode_points', POINTS, clicks),
    decoder('decode_points_and_boxes', { ...POINTS, ...BOXES }, (variant, n) => ({
      ...clicks(variant, n),
      ...boxes(variant, n),
    })),
    {
      signature: 'embed_masks',
      inputs: EARLIER,
      outputs: ADDED,
      samples: (variant) => ({ input_masks: tf.randomUniform([1, maskSide, maskSide, 1], -9, 9, 'float32', 5000 + variant) }),
      run: (x) => ({ mask_embeddings: embedMasks(x['input_masks'] as tf.Tensor4D) }),
    },
    ...(parts.model instanceof Sam2Video ? memoryPrograms(parts.model) : []),
  ];
}

function secondAxis(ports: Program['inputs']): Record<string, number> {
  return Object.fromEntries(Object.keys(ports).map((name) => [name, 1]));
}

function sampleBoxes(rng: Rng, n: number, side: number): tf.Tensor3D {
  const boxes = Array.from({ length: n }, () => {
    const [x, y] = [rng.uniform(0, side / 2), rng.uniform(0, side / 2)];
    return [x, y, x + rng.uniform(side / 8, side / 2), y + rng.uniform(side / 8, side / 2)];
  });
  return tf.tensor3d([boxes]);
}

/** Points inside and outside; in some prompts the last ones are padding. */
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
