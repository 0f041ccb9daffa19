import type { tf } from '../../backend/index.js';
import { type ActivationName, Linear, Module, throughHidden } from '../../nn/index.js';

/** Two linear layers with an activation between, under the names that SAM gives them everywhere. */
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
   * [..., features] to the same.
   *
   * @param addTo - what the result is added to, as where a block ends with a skip around it.
   */
  forward(x: tf.Tensor, addTo?: tf.Tensor): tf.Tensor {
    return throughHidden(x, { expand: this.lin1, activate: this.activate, contract: this.lin2, addTo });
  }
}
