import { tf } from '../backend/index.js';
import type { ManifestMemory } from '../infer/index.js';
import type { Sam2Video, Sam2VideoConfig } from '../models/sam2/index.js';
import { inference } from '../nn/index.js';
import { axialRotation, type Rotation, temporalEncoding } from '../ops/index.js';
import { Rng } from '../util/index.js';
import type { Program } from './program.js';
import { between } from './samples.js';

type Tensors = Readonly<Record<string, tf.Tensor>>;

const FEATURES = {
  image_embeddings: { layout: '[1, h, w, C]', meaning: 'image embeddings of the encoder' },
  high_res_0: { layout: '[1, 4h, 4w, C / 8]', meaning: 'feature map of the highest resolution' },
  high_res_1: { layout: '[1, 2h, 2w, C / 4]', meaning: 'feature map of the middle resolution' },
} as const;

const OBJECT = {
  pred_masks: { layout: '[1, 4h, 4w, 1]', meaning: 'logits, positive inside; -1024 where the object is not visible' },
  iou_scores: { layout: '[1, 1]', meaning: 'expected IoU of the mask' },
  object_score_logits: { layout: '[1, 1]', meaning: 'positive where the object is visible' },
  pointers: { layout: '[1, C]', meaning: 'pointer of the object' },
} as const;

const PLACES = { layout: '[1, K, M]', meaning: 'when and where the tokens of the memory were' } as const;

/**
 * What a tracker needs of a SAM 2 with its memory, besides the encoder: the memory's own graphs, and a decoder that gives an object's
 * pointer. Embeddings are those of the exported encoder, with the "no memory" embedding.
 */
export function memoryPrograms(model: Sam2Video): Program[] {
  const { config } = model;
  const side = config.promptEncoder.imageSize;
  const cells = Math.floor(side / config.promptEncoder.patchSize);
  const c = config.neck.fpnHiddenSize;
  const { memory } = config;
  const m = memory.encoder.outputChannels;
  const random = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, 'float32', 6000 + seed);
  const embeddings = (variant: number) => ({ image_embeddings: random([1, cells, cells, c], variant) });
  const features = (variant: number) => ({
    ...embeddings(variant),
    high_res_0: random([1, 4 * cells, 4 * cells, Math.floor(c / 8)], 10 + variant),
    high_res_1: random([1, 2 * cells, 2 * cells, Math.floor(c / 4)], 20 + variant),
  });
  const decoder = (signature: string, multimask: boolean): Program => ({
    signature,
    inputs: {
      ...FEATURES,
      input_points: { layout: '[1, 1, P, 2]', meaning: 'x, y in pixels of the resized image' },
      input_labels: {
        layout: '[1, 1, P]',
        meaning:
          '1 inside, 0 outside, 2 and 3 left top and right bottom of a box, before all others; one point labelled -1 for none',
      },
    },
    outputs: OBJECT,
    dynamic: { name: 'P', inputs: { input_points: 2, input_labels: 2 }, outputs: {} },
    samples: (variant, count) => ({ ...features(variant), ...samplePoints(Rng.seeded(7000 + variant), count, side) }),
    run: (x) => {
      const [points, labels] = [x['input_points'] as tf.Tensor4D, x['input_labels'] as tf.Tensor3D];
      return named(model.decodeObjects({ features: featuresIn(x), points, labels, multimask }, inference));
    },
  });
  return [
    {
      signature: 'recall',
      inputs: {
        image_embeddings: FEATURES.image_embeddings,
        memory: { layout: '[1, K, M]', meaning: 'cells of the memories of frames, then the parts of pointers' },
        memory_positions: PLACES,
        memory_cells: { layout: '[K]', meaning: 'number of the cell in its map, row by row; h * w for parts of pointers' },
      },
      outputs: { image_embeddings: { layout: '[1, h, w, C]', meaning: 'image embeddings that remember the object' } },
      dynamic: { name: 'K', inputs: { memory: 1, memory_positions: 1, memory_cells: 0 }, outputs: {} },
      samples: (variant, count) => ({
        ...embeddings(variant),
        memory: random([1, count, m], 30 + variant),
        memory_positions: random([1, count, m], 40 + variant),
        memory_cells: sampleCells(Rng.seeded(8000 + variant), count, cells * cells),
      }),
      run: (x) => {
        const tokens = { maps: x['memory'] as tf.Tensor3D, mapPositions: x['memory_positions'] as tf.Tensor3D };
        const rotation = rotationAt(x['memory_cells'] as tf.Tensor1D, cells, config);
        return { image_embeddings: model.recallTokens(bareIn(model, x), { ...tokens, rotation }, inference) };
      },
    },
    {
      signature: 'place_map',
      inputs: {
        memory_row: {
          layout: '[1]',
          meaning: 'how many frames ago a frame was, less 1; the number of memories less 1 for marked ones',
        },
      },
      outputs: { memory_positions: { layout: '[1, h * w, M]', meaning: PLACES.meaning } },
      samples: (variant) => ({ memory_row: tf.tensor1d([variant % memory.numMaskmem], 'int32') }),
      run: (x) => ({ memory_positions: model.placeMap([cells, cells], x['memory_row'] as tf.Tensor1D) }),
    },
    {
      signature: 'place_pointers',
      inputs: {
        pointers: { layout: '[1, P, C]', meaning: 'pointers of an object on earlier frames' },
        pointer_times: { layout: '[P, C]', meaning: 'sines and cosines of how long ago those were' },
      },
      outputs: {
        memory: { layout: '[1, P * C / M, M]', meaning: 'the parts of the pointers' },
        memory_positions: { layout: '[1, P * C / M, M]', meaning: PLACES.meaning },
      },
      dynamic: { name: 'P', inputs: { pointers: 1, pointer_times: 0 }, outputs: { memory: 1, memory_positions: 1 } },
      samples: (variant, count) => ({
        pointers: random([1, count, c], 50 + variant),
        pointer_times: tf.tensor2d(temporalEncoding(sampleAges(Rng.seeded(9000 + variant), count), c), [count, c]),
      }),
      run: (x) => {
        const { pointers, pointerPositions } = model.pointerTokens(
          x['pointers'] as tf.Tensor3D,
          x['pointer_times'] as tf.Tensor2D,
          inference,
        );
        return { memory: pointers, memory_positions: pointerPositions };
      },
    },
    decoder('decode_object', false),
    ...(memory.multimaskOutputInSam ? [decoder('decode_object_several', true)] : []),
    {
      signature: 'take_mask',
      inputs: { ...FEATURES, masks: { layout: '[1, S, S, 1]', meaning: 'a mask that is known: 0 or 1' } },
      outputs: OBJECT,
      samples: (variant) => ({ ...features(variant), masks: sampleMask(Rng.seeded(9500 + variant), side) }),
      run: (x) => {
        const bare = { ...featuresIn(x), embeddings: bareIn(model, x) };
        return named(model.takeMasks(bare, x['masks'] as tf.Tensor4D, inference));
      },
    },
    {
      signature: 'memorise',
      inputs: {
        image_embeddings: FEATURES.image_embeddings,
        mask_shares: { layout: '[1, S, S, 1]', meaning: 'probability, or 0 and 1 of a mask that somebody saw' },
        object_score_logits: OBJECT.object_score_logits,
      },
      outputs: { memory: { layout: '[1, h * w, M]', meaning: 'what is remembered of the frame' } },
      samples: (variant) => ({
        ...embeddings(variant),
        mask_shares: tf.tidy(() => tf.sigmoid(random([1, side, side, 1], 60 + variant))),
        object_score_logits: tf.tensor2d([[variant === 1 ? -3 : 4]]),
      }),
      run: (x) => ({
        memory: model.memoriseShares(
          bareIn(model, x),
          x['mask_shares'] as tf.Tensor4D,
          x['object_score_logits'] as tf.Tensor2D,
          inference,
        ),
      }),
    },
  ];
}

/** What the manifest says of a memory. */
export function manifestMemory({ memory }: Sam2VideoConfig): ManifestMemory {
  return {
    num_maskmem: memory.numMaskmem,
    max_object_pointers_in_encoder: memory.maxObjectPointersInEncoder,
    max_cond_frame_num: memory.maxCondFrameNum ?? null,
    multimask_output_in_sam: memory.multimaskOutputInSam,
    multimask_min_pt_num: memory.multimaskMinPtNum,
    multimask_max_pt_num: memory.multimaskMaxPtNum,
    multimask_output_for_tracking: memory.multimaskOutputForTracking,
  };
}

function featuresIn(x: Tensors) {
  return {
    embeddings: x['image_embeddings'] as tf.Tensor4D,
    highRes0: x['high_res_0'] as tf.Tensor4D,
    highRes1: x['high_res_1'] as tf.Tensor4D,
  };
}

function bareIn(model: Sam2Video, x: Tensors): tf.Tensor4D {
  return model.withoutNoMemory(x['image_embeddings'] as tf.Tensor4D);
}

function named({ maskLogits, iouScores, objectScoreLogits, pointers }: ReturnType<Sam2Video['decodeObjects']>) {
  return { pred_masks: maskLogits, iou_scores: iouScores, object_score_logits: objectScoreLogits, pointers };
}

/** The rotation of each token; that of pointers, which have no place, leaves them as they are. */
function rotationAt(numbers: tf.Tensor1D, cells: number, { memory, neck }: Sam2VideoConfig): Rotation {
  const { downsampleRate, numAttentionHeads, ropeTheta } = memory.attention;
  const depth = Math.floor(neck.fpnHiddenSize / downsampleRate) / numAttentionHeads;
  const { cos, sin } = axialRotation(cells, cells, depth, ropeTheta);
  const still: [number, number] = [1, depth / 2];
  return {
    cos: tf.gather(tf.concat([cos, tf.ones<tf.Rank.R2>(still)]), numbers),
    sin: tf.gather(tf.concat([sin, tf.zeros<tf.Rank.R2>(still)]), numbers),
  };
}

function samplePoints(rng: Rng, count: number, side: number) {
  const places = Array.from({ length: count }, () => [rng.uniform(0, side), rng.uniform(0, side)]);
  const labels = places.map((_, i) => (i === 0 ? 1 : between(rng, 0, 1)));
  return {
    input_points: tf.tensor4d(places.flat(), [1, 1, count, 2]),
    input_labels: tf.tensor3d(labels, [1, 1, count], 'int32'),
  };
}

function sampleCells(rng: Rng, count: number, most: number): tf.Tensor1D {
  return tf.tensor1d(
    Array.from({ length: count }, () => between(rng, 0, most)),
    'int32',
  );
}

function sampleAges(rng: Rng, count: number): number[] {
  return Array.from({ length: count }, () => rng.uniform(0, 1));
}

function sampleMask(rng: Rng, side: number): tf.Tensor4D {
  const [x0, y0, radius] = [rng.uniform(0.3, 0.7) * side, rng.uniform(0.3, 0.7) * side, 0.2 * side];
  const inside = (i: number) => ((i % side) - x0) ** 2 + (Math.floor(i / side) - y0) ** 2 < radius ** 2;
  return tf.tensor4d(
    Float32Array.from({ length: side * side }, (_, i) => Number(inside(i))),
    [1, side, side, 1],
  );
}
