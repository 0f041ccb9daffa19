import { tf } from '../../backend/index.js';
import { type Initialiser, Linear, Module, xavierUniform, zeros } from '../../nn/index.js';
import { multiScaleDeformableAttention } from '../../ops/index.js';
import type { GroundingDinoConfig } from './config.js';

export interface DeformableAttentionInputs {
  /** [B, Q, d] f32, positions added. */
  readonly queries: tf.Tensor;
  /** [B, S, d] f32. */
  readonly memory: tf.Tensor;
  /** [B, S, 1] f32, 1 image 0 padding; absent without padding. */
  readonly memoryMask?: tf.Tensor | undefined;
  readonly spatialShapes: readonly (readonly [number, number])[];
  /** [B or 1, Q, L * P * 2] f32: origin of the offsets, in (x, y) pairs. */
  readonly origin: tf.Tensor;
  /** Scale of the offsets: broadcasts to [B, Q, L * P * 2] f32. */
  readonly unit: tf.Tensor;
}

/** Multi-scale deformable attention: each query samples a few points of every level around its reference. */
export class MultiscaleDeformableAttention extends Module {
  private readonly samplingOffsets: Linear;
  private readonly attentionWeights: Linear;
  private readonly valueProj: Linear;
  private readonly outputProj: Linear;
  private readonly heads: number;
  private readonly levels: number;
  private readonly points: number;

  constructor({ dModel, numFeatureLevels }: GroundingDinoConfig, heads: number, points: number) {
    super();
    this.heads = heads;
    this.levels = numFeatureLevels;
    this.points = points;
    const samples = heads * numFeatureLevels * points;
    const biasInit = ringPattern(heads, numFeatureLevels, points);
    this.samplingOffsets = this.child('sampling_offsets', new Linear(dModel, samples * 2, { weightInit: zeros, biasInit }));
    this.attentionWeights = this.child('attention_weights', new Linear(dModel, samples, { weightInit: zeros }));
    this.valueProj = this.child('value_proj', new Linear(dModel, dModel, { weightInit: xavierUniform }));
    this.outputProj = this.child('output_proj', new Linear(dModel, dModel, { weightInit: xavierUniform }));
  }

  /** @returns [B, Q, d] f32. */
  forward({ queries, memory, memoryMask, spatialShapes, origin, unit }: DeformableAttentionInputs): tf.Tensor3D {
    const [b = 0, q = 0, d = 0] = queries.shape;
    const { heads, levels, points } = this;
    const projected = this.valueProj.forward(memory); // [B, S, d]
    const value = memoryMask === undefined ? projected : tf.mul(projected, memoryMask);
    const offsets = this.samplingOffsets.forward(queries).reshape([b, q, heads, levels * points * 2]);
    const scores = this.attentionWeights.forward(queries).reshape([b, q, heads, levels * points]);
    const oneHead = (x: tf.Tensor) => tf.expandDims(x, 2); // [B, Q, 1, L * P * 2]
    const samplingLocations = tf.add(oneHead(origin), tf.mul(offsets, oneHead(unit)));
    const sampled = multiScaleDeformableAttention({
      value: value.reshape([b, memory.shape[1] ?? 0, heads, d / heads]) as tf.Tensor4D,
      spatialShapes,
      samplingLocations: samplingLocations.reshape([b, q, heads, levels, points, 2]),
      attentionWeights: tf.softmax(scores).reshape([b, q, heads, levels, points]),
    }); // [B, Q, d]
    return this.outputProj.forward(sampled) as tf.Tensor3D;
  }
}

/** Initial offsets: each head points in its own direction, each further point lies one cell further out. */
function ringPattern(heads: number, levels: number, points: number): Initialiser {
  return (shape) => {
    const bias = new Float32Array(shape[0] ?? 0);
    for (let i = 0; i < heads * levels * points; i++) {
      const angle = (2 * Math.PI * Math.floor(i / (levels * points))) / heads;
      const reach = ((i % points) + 1) / Math.max(Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle)));
      bias[2 * i] = Math.cos(angle) * reach;
      bias[2 * i + 1] = Math.sin(angle) * reach;
    }
    return bias;
  };
}
