import { tf } from '../../backend/index.js';
import { Conv2d, Embedding, eachImage, GroupNorm, Module, TensorLayer } from '../../nn/index.js';
import type { GroundingDinoConfig } from './config.js';

/** A convolution to the model's width and a group norm, named `0` and `1` in checkpoints. */
export class InputProjection extends TensorLayer {
  private readonly convolution: Conv2d;
  private readonly norm: GroupNorm;

  constructor(channels: number, dModel: number, kind: 'same size' | 'half size') {
    super();
    const options = kind === 'same size' ? { kernelSize: 1 } : { kernelSize: 3, stride: 2, padding: 1 };
    this.convolution = this.child('0', new Conv2d(channels, dModel, options));
    this.norm = this.child('1', new GroupNorm(32, dModel));
  }

  /** [B, h, w, channels] f32 to [B, h', w', d] f32. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    const { convolution } = this;
    const map = convolution.isLinear ? convolution.forward(x) : eachImage(x, (images) => convolution.forward(images));
    return this.norm.forward(map);
  }
}

/** One projection per map of the backbone, then one per additional coarser level. */
export function inputProjections(
  { dModel, numFeatureLevels }: GroundingDinoConfig,
  channels: readonly number[],
): InputProjection[] {
  const last = channels[channels.length - 1] as number;
  if (numFeatureLevels === 1) return [new InputProjection(last, dModel, 'same size')];
  const own = channels.map((width) => new InputProjection(width, dModel, 'same size'));
  const extra = Array.from(
    { length: numFeatureLevels - channels.length },
    (_, i) => new InputProjection(i === 0 ? last : dModel, dModel, 'half size'),
  );
  return [...own, ...extra];
}

/** Learned row and column embeddings for up to 50 x 50 cells, an alternative to sinusoidal encodings. */
export class LearnedPositionEmbedding extends Module {
  private readonly rows: Embedding;
  private readonly columns: Embedding;

  constructor(dModel: number) {
    super();
    this.rows = this.child('row_embeddings', new Embedding(50, dModel / 2));
    this.columns = this.child('column_embeddings', new Embedding(50, dModel / 2));
  }

  /** @returns [1, h * w, d] f32. */
  forward(h: number, w: number): tf.Tensor3D {
    const cells = h * w;
    const row = Int32Array.from({ length: cells }, (_, i) => Math.floor(i / w));
    const column = Int32Array.from({ length: cells }, (_, i) => i % w);
    const y = this.rows.forward(tf.tensor1d(row, 'int32'));
    const x = this.columns.forward(tf.tensor1d(column, 'int32'));
    return tf.expandDims(tf.concat([x, y], 1), 0);
  }
}
