import { tf } from '../../backend/index.js';
import type { ForwardContext, Linear, Parameter } from '../../nn/index.js';
import { sinePositionEmbedding } from '../../ops/index.js';
import type { MemoryTokens } from './memory-attention.js';
import type { ObjectMemory } from './objects.js';
import { timeRow } from './video-config.js';

/** Base of the wavelengths of positions. */
const TEMPERATURE = 10_000;

/** Sine positions of a map's cells, [1, h * w, channels]. */
export function mapPositions([h, w]: readonly [number, number], channels: number): tf.Tensor3D {
  return sinePositionEmbedding(tf.ones([1, h, w]), channels, TEMPERATURE);
}

/**
 * When and where the cells of a map were.
 *
 * @param times - [numMaskmem, 1, 1, M] f32.
 * @param row - [1] i32, by `timeRow`.
 * @returns [1, h * w, M] f32.
 */
export function mapTimes(times: Parameter, size: readonly [number, number], row: tf.Tensor1D): tf.Tensor3D {
  const m = times.shape.at(-1) as number;
  return tf.tidy(() => {
    const time = tf.gather(tf.reshape(times.value, [-1, m]), row).reshape([1, 1, m]);
    return tf.add(mapPositions(size, m), time) as tf.Tensor3D;
  });
}

/**
 * The maps of frames, one after the other, with when and where their cells were.
 *
 * @param times - [numMaskmem, 1, 1, M] f32.
 */
export function frameTokens(
  frames: ObjectMemory['frames'],
  times: Parameter,
  size: readonly [number, number],
  context: ForwardContext,
): MemoryTokens {
  const [count = 0] = times.shape;
  const m = times.shape.at(-1) as number;
  const b = frames[0]?.map.shape[0] ?? 1;
  const { mapPositions: placed } = context.block(times, { spatial: mapPositions(size, m) }, (x) => ({
    mapPositions: tf.concat(
      frames.map(({ age }) => {
        const row = times.value.slice([timeRow(age, count), 0, 0, 0], [1, 1, 1, m]);
        return tf.tile(tf.add(x.spatial, row.reshape([1, 1, m])) as tf.Tensor3D, [b, 1, 1]);
      }),
      1,
    ),
  }));
  const named = Object.fromEntries(frames.map(({ map }, i) => [`map${i}`, map]));
  const { maps } = context.block([], named, (x) => ({ maps: tf.concat(Object.values(x), 1) }));
  return { maps: maps as tf.Tensor3D, mapPositions: placed as tf.Tensor3D };
}

/**
 * Pointers have more channels than memories: each becomes several tokens.
 *
 * @param pointers - [B, P, C] f32.
 * @param pointerTimes - [P, C] f32, as in {@link ObjectMemory}.
 * @param projection - of times, from C to M channels; absent in models without them.
 * @param m - channels of memories.
 */
export function pointerTokens(
  pointers: tf.Tensor3D,
  pointerTimes: tf.Tensor2D | undefined,
  projection: Linear | undefined,
  m: number,
  context: ForwardContext,
) {
  const [b, p, c] = pointers.shape;
  const parts = c / m;
  return context.block(projection ?? [], { pointers, pointerTimes }, (x) => {
    const timed = projection !== undefined && x.pointerTimes !== undefined;
    const times = timed ? projection.forward(x.pointerTimes as tf.Tensor2D) : tf.zeros([p, m]); // [P, M]
    const repeated = tf.tile(times.reshape([p, 1, m]), [1, parts, 1]).reshape([1, p * parts, m]) as tf.Tensor3D;
    return {
      pointers: x.pointers.reshape([b, p * parts, m]) as tf.Tensor3D,
      pointerPositions: tf.tile(repeated, [b, 1, 1]) as tf.Tensor3D,
    };
  });
}
