import type { tf } from '../../backend/index.js';
import { type ActivationName, Linear, Module, throughHidden } from '../../nn/index.js';

/** An MLP of two linear layers, under the names that SAM uses everywhere. */
export class MlpBlock extends Module {
  private readonly lin1: Linear;
  private readonly lin2: Linear;
  private readonly activate: ActivationName;

  constructor(features: number, hidden: number, act: ActivationName) {
    super();
    this.lin1 = this.child('lin1', new Linear(features, hidden));
    this.lin2 = this.child('lin2', new Linear(hidden, features));
    this.activate = act;
  }

  override call(inputs: tf.Tensor): tf.Tensor {
    return this.forward(inputs);
  }

  /**
   * Maps [..., features] to the same shape.
   *
   * @param addTo - residual added to the result.
   */
  forward(x: tf.Tensor, addTo?: tf.Tensor): tf.Tensor {
    return throughHidden(x, { expand: this.lin1, activate: this.activate, contract: this.lin2, addTo });
  }
}
