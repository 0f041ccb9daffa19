import { tf } from '../../backend/index.js';
import {
  Conv2d,
  dropout,
  eachImage,
  type ForwardContext,
  LayerNorm,
  normal,
  type Parameter,
  TensorLayer,
} from '../../nn/index.js';
import { padToMultiple, resizeBicubic } from '../../ops/index.js';
import type { SwinConfig } from './config.js';

/** Normalised patch embeddings, with absolute position embeddings if configured. */
export class SwinEmbeddings extends TensorLayer {
  private readonly config: SwinConfig;
  private readonly projection: Conv2d;
  private readonly norm: LayerNorm;
  private readonly positions: Parameter | undefined;
  private readonly grid: readonly [number, number];

  constructor(config: SwinConfig) {
    super();
    const { numChannels, embedDim, patchSize, imageSize, useAbsoluteEmbeddings, initializerRange } = config;
    this.config = config;
    this.grid = [Math.floor(imageSize[0] / patchSize), Math.floor(imageSize[1] / patchSize)];
    this.projection = this.child(
      'patch_embeddings.projection',
      new Conv2d(numChannels, embedDim, { kernelSize: patchSize, stride: patchSize }),
    );
    this.norm = this.child('norm', new LayerNorm(embedDim));
    this.positions = useAbsoluteEmbeddings
      ? this.parameter('position_embeddings', [1, this.grid[0] * this.grid[1], embedDim], { init: normal(initializerRange) })
      : undefined;
  }

  /**
   * @param pixelValues - [B, H, W, channels] f32, normalised.
   * @returns [B, ceil(H / patch), ceil(W / patch), embedDim] f32.
   */
  forward(pixelValues: tf.Tensor4D, context: ForwardContext): tf.Tensor4D {
    const { x } = context.block(this, { pixelValues }, (inputs, mode) => {
      const padded = padToMultiple(inputs.pixelValues, this.config.patchSize);
      const patches = eachImage(padded, (images) => this.projection.forward(images)); // [B, h, w, C]
      return { x: dropout(this.addPositions(this.norm.forward(patches)), this.config.hiddenDropoutProb, mode) };
    });
    return x;
  }

  private addPositions(x: tf.Tensor4D): tf.Tensor4D {
    if (this.positions === undefined) return x;
    const [, h, w, c] = x.shape;
    const [gridHeight, gridWidth] = this.grid;
    if (h * w === gridHeight * gridWidth) return tf.add(x, tf.reshape(this.positions.value, [1, h, w, c]));
    // The reference's backbone rejects such an image; this follows its `interpolate_pos_encoding`.
    const learned: tf.Tensor4D = tf.reshape(this.positions.value, [1, gridHeight, gridWidth, c]);
    return tf.add(x, resizeBicubic(learned, [h, w]));
  }
}
