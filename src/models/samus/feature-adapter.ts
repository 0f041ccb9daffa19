import type { tf } from '../../backend/index.js';
import { Linear, Module, throughHidden } from '../../nn/index.js';
import type { SamusVisionConfig } from './config.js';

/** A narrow MLP with GELU, trained beside frozen layers. */
export class FeatureAdapter extends Module {
  private readonly fc1: Linear;
  private readonly fc2: Linear;

  constructor({ hiddenSize, adapterDim }: SamusVisionConfig) {
    super();
    this.fc1 = this.child('D_fc1', new Linear(hiddenSize, adapterDim));
    this.fc2 = this.child('D_fc2', new Linear(adapterDim, hiddenSize));
  }

  override call(inputs: tf.Tensor): tf.Tensor {
    return this.forward(inputs);
  }

  /**
   * Maps [..., C] to the same shape.
   *
   * @param addTo - residual added to the result.
   */
  forward(x: tf.Tensor, addTo?: tf.Tensor): tf.Tensor {
    return throughHidden(x, { expand: this.fc1, activate: 'gelu', contract: this.fc2, addTo });
  }
}
