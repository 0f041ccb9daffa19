import { nativeDeformableAttention, nativeDeformableAttentionGradients, tf } from '../backend/index.js';
import type { Sampler, SamplingGeometry, SamplingTensors } from './deformable-sampler.js';

/** Samples with the project's custom TensorFlow operation, if it is loaded: a single pass without intermediate tensors. */
export function nativeSampler({ spatialShapes }: SamplingGeometry): Sampler {
  const prepare = ({ value, locations, weights }: SamplingTensors) => ({
    value,
    spatialShapes: tf.tensor2d(spatialShapes.flat(), [spatialShapes.length, 2], 'int32'),
    locations,
    weights,
  });
  return {
    sample: (inputs) => nativeDeformableAttention(prepare(inputs)),
    gradients(inputs, dy) {
      const [value, locations, weights] = nativeDeformableAttentionGradients(prepare(inputs), dy);
      return { value, locations, weights };
    },
  };
}
