import { tf } from '../../backend/index.js';
import {
  type ActivationName,
  type ForwardContext,
  LayerNorm,
  Linear,
  Module,
  TensorLayer,
  throughHidden,
} from '../../nn/index.js';
import { joinWindows, padToMultiple, splitWindows } from '../../ops/index.js';
import type { HieraConfig } from './config.js';
import { MultiScaleAttention, maxPool } from './multi-scale-attention.js';

/** The position of a block in the backbone. */
export interface BlockPlace {
  readonly stage: number;
  /** Whether it is the first block of its stage, which widens the channels and may pool. */
  readonly first: boolean;
  /** Its index among all blocks. */
  readonly index: number;
}

/** Windowed attention and an MLP; the first block of a stage widens the channels and may halve the map. */
export class MultiScaleBlock extends TensorLayer {
  private readonly norm1: LayerNorm;
  private readonly attention: MultiScaleAttention;
  private readonly norm2: LayerNorm;
  private readonly mlp: HieraMlp;
  private readonly proj: Linear | undefined;
  /** 0: global attention. */
  private readonly windowSize: number;
  private readonly queryStride: readonly [number, number] | undefined;

  constructor(config: HieraConfig, { stage, first, index }: BlockPlace) {
    super();
    const at = (list: readonly number[], i: number) => list[i] as number;
    const before = stage > 0 && first ? stage - 1 : stage;
    const dim = at(config.embedDimPerStage, before);
    const dimOut = at(config.embedDimPerStage, stage);
    this.windowSize = config.globalAttentionBlocks.includes(index) ? 0 : at(config.windowSizePerStage, before);
    this.queryStride = stage > 0 && stage <= config.numQueryPoolStages && first ? config.queryStride : undefined;
    this.norm1 = this.child('layer_norm1', new LayerNorm(dim, config.layerNormEps));
    const heads = at(config.numAttentionHeadsPerStage, stage);
    this.attention = this.child('attn', new MultiScaleAttention({ dim, dimOut, heads, queryStride: this.queryStride }));
    this.norm2 = this.child('layer_norm2', new LayerNorm(dimOut, config.layerNormEps));
    this.mlp = this.child('mlp', new HieraMlp(dimOut, Math.trunc(dimOut * config.mlpRatio), config.hiddenAct));
    this.proj = dim === dimOut ? undefined : this.child('proj', new Linear(dim, dimOut));
  }

  /**
   * @param x - [B, H, W, dim] f32.
   * @returns [B, H', W', dimOut].
   */
  forward(x: tf.Tensor4D, context: ForwardContext): tf.Tensor4D {
    return context.block(this, { x }, (inputs) => ({ y: this.transform(inputs.x) })).y;
  }

  private transform(x: tf.Tensor4D): tf.Tensor4D {
    const normed = this.norm1.forward(x); // [B, H, W, dim]
    const shortcut = this.proj === undefined ? x : maxPool(this.proj.forward(normed) as tf.Tensor4D, this.queryStride); // [B, H', W', dimOut]
    const attended = this.attend(normed, shortcut);
    return this.mlp.forward(this.norm2.forward(attended), attended); // [B, H', W', dimOut]
  }

  private attend(x: tf.Tensor4D, shortcut: tf.Tensor4D): tf.Tensor4D {
    const size = this.windowSize;
    if (this.attention.canRunInPlace(x, size)) return this.attention.forwardInPlace(x, size, shortcut);
    return tf.add(shortcut, size === 0 ? this.attention.forward(x) : this.attendWithin(x, size, shortcut.shape));
  }

  private attendWithin(x: tf.Tensor4D, size: number, [b, h, w, c]: readonly [number, number, number, number]): tf.Tensor4D {
    const padded = padToMultiple(x, size);
    const [rows, columns] = [padded.shape[1] / size, padded.shape[2] / size];
    const windows = tf.reshape(splitWindows(padded, size), [b * rows * columns, size, size, -1]) as tf.Tensor4D;
    const attended = this.attention.forward(windows); // [B * windows, size', size', C]
    const small = attended.shape[1];
    const tokens = tf.reshape(attended, [b * rows * columns, 1, small * small, c]) as tf.Tensor4D;
    const joined = joinWindows(tokens, small, [rows * small, columns * small]);
    return joined.shape[1] === h && joined.shape[2] === w ? joined : joined.slice([0, 0, 0, 0], [b, h, w, c]);
  }
}

/** An MLP of two linear layers. */
class HieraMlp extends Module {
  private readonly projIn: Linear;
  private readonly projOut: Linear;
  private readonly activate: ActivationName;

  constructor(features: number, hidden: number, activate: ActivationName) {
    super();
    this.projIn = this.child('proj_in', new Linear(features, hidden));
    this.projOut = this.child('proj_out', new Linear(hidden, features));
    this.activate = activate;
  }

  /** x through the MLP, added to `shortcut`, which has the same shape. */
  forward(x: tf.Tensor4D, shortcut: tf.Tensor4D): tf.Tensor4D {
    const { projIn: expand, activate, projOut: contract } = this;
    return throughHidden(x, { expand, activate, contract, addTo: shortcut }) as tf.Tensor4D;
  }
}
