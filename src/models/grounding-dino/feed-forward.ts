import { tf } from '../../backend/index.js';
import { type BlockMode, dropout, LayerNorm, Linear, Module, throughHidden, xavierUniform } from '../../nn/index.js';
import type { GroundingDinoConfig } from './config.js';

/** Base class of layers that end in an MLP with a residual connection and a norm, named `fc1`, `fc2` and `final_layer_norm`. */
export abstract class FeedForwardLayer extends Module {
  protected readonly config: GroundingDinoConfig;
  private readonly fc1: Linear;
  private readonly fc2: Linear;
  protected readonly finalLayerNorm: LayerNorm;

  constructor(config: GroundingDinoConfig, hidden: number) {
    super();
    this.config = config;
    this.fc1 = this.child('fc1', new Linear(config.dModel, hidden, { weightInit: xavierUniform }));
    this.fc2 = this.child('fc2', new Linear(hidden, config.dModel, { weightInit: xavierUniform }));
    this.finalLayerNorm = this.child('final_layer_norm', new LayerNorm(config.dModel, config.layerNormEps));
  }

  /** The modules that {@link feedForward} uses. */
  protected get feedForwardModules(): Module[] {
    return [this.fc1, this.fc2];
  }

  /** Maps [..., d] to [..., d] f32, up to the norm. */
  protected feedForward(x: tf.Tensor, mode: BlockMode): tf.Tensor {
    const { activationFunction, activationDropout, dropout: rate } = this.config;
    const { fc1: expand, fc2: contract } = this;
    const drop = (hidden: tf.Tensor) => dropout(hidden, activationDropout, mode);
    const hiddenDrops = mode.training && activationDropout > 0;
    const layer = { expand, activate: activationFunction, contract, ...(hiddenDrops && { drop }) };
    return tf.tidy(() => {
      const drops = mode.training && rate > 0;
      return drops ? tf.add(x, dropout(throughHidden(x, layer), rate, mode)) : throughHidden(x, { ...layer, addTo: x });
    });
  }
}
