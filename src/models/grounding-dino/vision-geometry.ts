import { tf } from '../../backend/index.js';
import { sinePositionEmbedding } from '../../ops/index.js';
import type { GroundingDinoConfig } from './config.js';
import { biasOf } from './text-masks.js';

type Size = readonly [number, number];

/** Constants of a batch of images. Without a pixel mask there is no padding and B below is 1. S cells, L levels, P points. */
export interface VisionGeometry {
  /** Height and width of each level, finest first. */
  readonly spatialShapes: readonly Size[];
  /** [B, S, 1] f32, 1 image 0 padding; absent without padding. */
  readonly mask: tf.Tensor3D | undefined;
  /** [B, 1, 1, S] f32: very low at padding; absent without padding. */
  readonly bias: tf.Tensor4D | undefined;
  /** [B, S, d] f32; absent for learned positions. */
  readonly positions: tf.Tensor3D | undefined;
  /** [B, S, L * P * 2] f32: each cell's centre on each level, P of the encoder. */
  readonly encoderOrigin: tf.Tensor3D;
  /** [1, 1, L * P * 2] f32: size of a cell of each level. */
  readonly encoderUnit: tf.Tensor3D;
  /** [B, 1, L * P * 2] f32: valid (unpadded) fraction of each level, P of the decoder. */
  readonly decoderRatios: tf.Tensor3D;
  /** [B, 1, 4] f32: the same for the first level, as (x, y, x, y). */
  readonly firstRatio: tf.Tensor3D;
  /** [B, S, 4] f32: logits of each cell's box proposal; very high if it has none. */
  readonly proposals: tf.Tensor3D;
  /** [B, S, 1] f32: 1 for cells with a proposal. */
  readonly proposing: tf.Tensor3D;
}

/** Its sigmoid is 1 in float32, like that of the reference's infinity, but cannot cause 0 times infinity. */
const beyond = 1e4;

/**
 * @param pixelMask - [B, H, W], 1 image 0 padding.
 * @param spatialShapes - of all levels, including those of the extra convolutions.
 */
export function visionGeometry(
  pixelMask: tf.Tensor3D | undefined,
  spatialShapes: readonly Size[],
  config: GroundingDinoConfig,
): VisionGeometry {
  const { dModel, positionEmbeddingType, positionalEmbeddingTemperature: temperature } = config;
  const masks = spatialShapes.map(
    (size) => (pixelMask === undefined ? tf.ones([1, ...size]) : shrink(pixelMask, size)) as tf.Tensor3D,
  );
  const b = masks[0]?.shape[0] ?? 1;
  const mask = flatten(masks);
  const ratios = tf.stack(masks.map(validRatio), 1) as tf.Tensor3D; // [B, L, (x, y)]
  const cells = cellTable(spatialShapes);
  const ownRatio = tf.gather(ratios, cells.level, 1); // [B, S, 2]
  const centre = tf.div(cells.centre, ownRatio); // [B, S, 2]: as fractions of the image without padding
  const perSample = (points: number) => repeatPoints(ratios, points); // [B, 1, L * P * 2]
  const samples = spatialShapes.length * config.encoderNPoints;
  const { proposals, proposing } = propose(centre as tf.Tensor3D, cells.side, mask);
  return {
    spatialShapes,
    mask: pixelMask === undefined ? undefined : mask,
    bias: pixelMask === undefined ? undefined : (biasOf(mask.reshape([b, 1, 1, -1])) as tf.Tensor4D),
    positions:
      positionEmbeddingType === 'sine'
        ? tf.concat(
            masks.map((level) => sinePositionEmbedding(level, dModel, temperature)),
            1,
          )
        : undefined,
    encoderOrigin: tf.mul(alternate(centre, samples), perSample(config.encoderNPoints)) as tf.Tensor3D,
    encoderUnit: repeatPoints(tf.tensor3d([spatialShapes.map(([h, w]) => [1 / w, 1 / h])]), config.encoderNPoints),
    decoderRatios: perSample(config.decoderNPoints),
    firstRatio: alternate(ratios.slice([0, 0, 0], [b, 1, 2]), 2),
    proposals,
    proposing,
  };
}

/** Repeats (x, y) pairs: [B, N, 2] to [B, N, count * 2] (x, y, x, y, …). */
export function alternate(pairs: tf.Tensor, count: number, first = 0): tf.Tensor3D {
  const order = Int32Array.from({ length: count * 2 }, (_, i) => first + (i % 2));
  return tf.gather(pairs, tf.tensor1d(order, 'int32'), 2) as tf.Tensor3D;
}

/** [B, L, 2] to [B, 1, L * points * 2]. */
function repeatPoints(perLevel: tf.Tensor3D, points: number): tf.Tensor3D {
  const [b, l] = perLevel.shape;
  return alternate(perLevel, points).reshape([b, 1, l * points * 2]);
}

/** Nearest-neighbour downsampling, matching torch's `interpolate(mode='nearest')`. [B, H, W] to [B, h, w] f32. */
function shrink(mask: tf.Tensor3D, [h, w]: Size): tf.Tensor3D {
  const [, height, width] = mask.shape;
  const rows = tf.gather(mask, tf.tensor1d(nearest(height, h), 'int32'), 1);
  return tf.cast(tf.gather(rows, tf.tensor1d(nearest(width, w), 'int32'), 2), 'float32');
}

function nearest(from: number, to: number): Int32Array {
  const scale = Math.fround(from / to);
  return Int32Array.from({ length: to }, (_, i) => Math.min(Math.floor(Math.fround(i * scale)), from - 1));
}

/** Flattens and concatenates levels [B, h, w] to [B, S, 1]. */
function flatten(masks: readonly tf.Tensor3D[]): tf.Tensor3D {
  return tf.concat(
    masks.map((mask) => mask.reshape([mask.shape[0], -1, 1])),
    1,
  ) as tf.Tensor3D;
}

/** Valid fraction of the width and height, from the first row and column: [B, h, w] to [B, 2]. */
function validRatio(mask: tf.Tensor3D): tf.Tensor2D {
  const [b, h, w] = mask.shape;
  const x = tf.mean(mask.slice([0, 0, 0], [b, 1, w]).reshape([b, w]), 1);
  const y = tf.mean(mask.slice([0, 0, 0], [b, h, 1]).reshape([b, h]), 1);
  return tf.stack([x, y], 1) as tf.Tensor2D;
}

interface CellTable {
  /** [S, 2] f32: (x, y) centre of each cell on its own map, padding included. */
  readonly centre: tf.Tensor2D;
  /** [S] i32: level of each cell. */
  readonly level: tf.Tensor1D;
  /** [S, 2] f32: width and height of the proposed box. */
  readonly side: tf.Tensor2D;
}

function cellTable(spatialShapes: readonly Size[]): CellTable {
  const centre: number[] = [];
  const level: number[] = [];
  const side: number[] = [];
  for (const [l, [h, w]] of spatialShapes.entries()) {
    for (let i = 0; i < h * w; i++) {
      centre.push(((i % w) + 0.5) / w, (Math.floor(i / w) + 0.5) / h);
      level.push(l);
      side.push(0.05 * 2 ** l, 0.05 * 2 ** l);
    }
  }
  const cells = level.length;
  return {
    centre: tf.tensor2d(centre, [cells, 2]),
    level: tf.tensor1d(level, 'int32'),
    side: tf.tensor2d(side, [cells, 2]),
  };
}

/** A box around each cell's centre, as logits. Padding and boxes that touch the boundary are no proposals. */
function propose(centre: tf.Tensor3D, side: tf.Tensor2D, mask: tf.Tensor3D): { proposals: tf.Tensor3D; proposing: tf.Tensor3D } {
  const sides = tf.mul(tf.onesLike(centre), side);
  const boxes = tf.concat([centre, sides], 2); // [B, S, 4] cxcywh
  const within = tf.logicalAnd(tf.greater(boxes, 0.01), tf.less(boxes, 0.99));
  const proposing = tf.mul(tf.cast(tf.all(within, 2, true), 'float32'), mask) as tf.Tensor3D;
  const logits = tf.log(tf.div(boxes, tf.sub(1, boxes)));
  const proposals = tf.where(tf.cast(tf.tile(proposing, [1, 1, 4]), 'bool'), logits, tf.fill(boxes.shape, beyond));
  return { proposals: proposals as tf.Tensor3D, proposing };
}
