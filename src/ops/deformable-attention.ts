import { hasNativeDeformableAttention, tf } from '../backend/index.js';
import { assertShape } from '../util/index.js';
import { denseSampler } from './deformable-dense.js';
import { gatherSampler } from './deformable-gather.js';
import { nativeSampler } from './deformable-native.js';
import type { Sampler, SamplingGeometry } from './deformable-sampler.js';

export interface DeformableAttentionArgs {
  /** [B, S, H, D] f32: the concatenated maps of all levels, each row-major. */
  readonly value: tf.Tensor4D;
  /** Height and width of each level; their products sum to S. */
  readonly spatialShapes: readonly (readonly [number, number])[];
  /** [B, Q, H, L, P, 2] f32: x, y, where 0 and 1 are the outer edges of a map. Points outside sample zeros. */
  readonly samplingLocations: tf.Tensor;
  /** [B, Q, H, L, P] f32. */
  readonly attentionWeights: tf.Tensor;
}

/** Maximum number of elements that the dense method may hold at a time. */
const DENSE_ELEMENTS = 2 ** 26;

/**
 * Sums values sampled bilinearly at a few points of every level, like grid_sample(bilinear, zeros, align_corners=False). A single
 * custom gradient covers value, locations and weights. At integer cell coordinates, where the slope is discontinuous, it is the
 * right-hand one, as in torch. Locations that are not finite count as outside.
 *
 * On the native backend, this is a custom operation, if the set-up could compile it.
 *
 * @returns [B, Q, H * D] f32.
 * @see Zhu et al. 2021, Deformable DETR, equation 3
 */
export function multiScaleDeformableAttention(args: DeformableAttentionArgs): tf.Tensor3D {
  const { value, spatialShapes, samplingLocations } = args;
  const [batch, cells, heads, depth] = value.shape;
  const [, queries = 0, , , points = 0] = samplingLocations.shape;
  const gathered = 4 * spatialShapes.length * points * depth; // elements that one row reads with the gather method
  const dense = cells * 2 <= gathered && batch * heads * queries * cells <= DENSE_ELEMENTS;
  const portable = dense ? denseSampler : gatherSampler;
  return deformableAttentionBy(hasNativeDeformableAttention() ? nativeSampler : portable, args, {
    batch,
    cells,
    queries,
    heads,
    depth,
    points,
    spatialShapes,
  });
}

/** {@link multiScaleDeformableAttention} with a given method. */
export function deformableAttentionBy(
  way: (geometry: SamplingGeometry) => Sampler,
  { value, samplingLocations, attentionWeights }: DeformableAttentionArgs,
  geometry: SamplingGeometry,
): tf.Tensor3D {
  const { batch, cells, queries, heads, depth, points, spatialShapes } = geometry;
  const levels = spatialShapes.length;
  assertShape(samplingLocations, [batch, queries, heads, levels, points, 2], 'multiScaleDeformableAttention');
  assertShape(attentionWeights, [batch, queries, heads, levels, points], 'multiScaleDeformableAttention');
  const sum = spatialShapes.reduce((total, [h, w]) => total + h * w, 0);
  if (sum !== cells) throw new RangeError(`multiScaleDeformableAttention: the levels have ${sum} cells, value has ${cells}`);
  const sampler = way(geometry);
  const op = tf.customGrad((value_, locations_, weights_, save_) => {
    const save = save_ as unknown as (tensors: tf.Tensor[]) => void;
    const inputs = [value_, locations_, weights_] as unknown as [tf.Tensor, tf.Tensor, tf.Tensor];
    const record = ([v, l, w]: readonly [tf.Tensor, tf.Tensor, tf.Tensor]) => ({ value: v, locations: l, weights: w });
    const out = sampler.sample(record(inputs)).reshape([batch, queries, heads * depth]);
    save(inputs); // only the inputs: recomputing the cells is cheaper than storing them
    const gradFunc = (dy: tf.Tensor, saved: [tf.Tensor, tf.Tensor, tf.Tensor]) =>
      tf.tidy(() => {
        const grads = sampler.gradients(record(saved), dy);
        const [v, l, w] = saved;
        return [grads.value.reshape(v.shape), grads.locations.reshape(l.shape), grads.weights.reshape(w.shape)];
      });
    return { value: out, gradFunc: gradFunc as never };
  });
  return op(value, samplingLocations, attentionWeights) as tf.Tensor3D;
}
