import { tf } from '../../backend/index.js';
import {
  constant,
  dropPath,
  type ForwardContext,
  LayerNorm,
  Linear,
  type Parameter,
  TensorLayer,
  throughHidden,
} from '../../nn/index.js';
import { FocalModulation } from './focal-modulation.js';

export interface FocalBlockOptions {
  readonly levels: number;
  readonly window: number;
  readonly mlpRatio: number;
  readonly dropPathProb: number;
}

/** Initial scale of each residual branch; fixed in the reference. */
const INITIAL_SCALE = 1e-4;

/** Focal modulation, then an MLP, each with a norm after it, a learned scale of every channel, and a residual connection. */
export class FocalBlock extends TensorLayer {
  private readonly scale1: Parameter;
  private readonly scale2: Parameter;
  private readonly norm1: LayerNorm;
  private readonly modulation: FocalModulation;
  private readonly norm2: LayerNorm;
  private readonly expand: Linear;
  private readonly contract: Linear;
  private readonly dropPathProb: number;

  constructor(channels: number, { levels, window, mlpRatio, dropPathProb }: FocalBlockOptions) {
    super();
    const hidden = Math.floor(channels * mlpRatio);
    const init = constant(INITIAL_SCALE);
    this.dropPathProb = dropPathProb;
    this.scale1 = this.parameter('gamma_1', [channels], { init });
    this.scale2 = this.parameter('gamma_2', [channels], { init });
    this.norm1 = this.child('norm1', new LayerNorm(channels));
    this.modulation = this.child('modulation', new FocalModulation(channels, { levels, window }));
    this.norm2 = this.child('norm2', new LayerNorm(channels));
    this.expand = this.child('mlp.fc1', new Linear(channels, hidden));
    this.contract = this.child('mlp.fc2', new Linear(hidden, channels));
  }

  /** [B, H, W, C] to the same shape. */
  forward(x: tf.Tensor4D, context: ForwardContext): tf.Tensor4D {
    return context.block(this, { x }, (inputs, mode) => {
      const added = (to: tf.Tensor4D, branch: tf.Tensor, scale: Parameter) =>
        tf.add(to, dropPath(tf.mul(branch, scale.value), this.dropPathProb, mode)) as tf.Tensor4D;
      const { expand, contract } = this;
      const modulated = tf.tidy(() => this.norm1.forward(this.modulation.forward(inputs.x)));
      const seen = added(inputs.x, modulated, this.scale1); // [B, H, W, C]
      const mapped = tf.tidy(() => this.norm2.forward(throughHidden(seen, { expand, activate: 'gelu', contract })));
      return { y: added(seen, mapped, this.scale2) }; // [B, H, W, C]
    }).y;
  }
}
