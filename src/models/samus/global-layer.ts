import { tf } from '../../backend/index.js';
import { type ForwardContext, LayerNorm, Module } from '../../nn/index.js';
import { MlpBlock, mapSizeOf, VitAttention } from '../vit/index.js';
import type { SamusVisionConfig } from './config.js';
import { ConvBlock } from './conv-block.js';
import { CrossBranchAttention } from './cross-branch-attention.js';
import { FeatureAdapter } from './feature-adapter.js';

/** Weight of the adapter beside the MLP; fixed in the reference. */
const ADAPTER_SCALE = 0.5;

/** The maps of both branches, [B, h, w, C] f32 each. */
export interface BranchMaps extends Record<string, tf.Tensor4D> {
  /** The patches. */
  readonly x: tf.Tensor4D;
  /** The CNN branch. */
  readonly cnn: tf.Tensor4D;
}

/** A layer with global attention in which the branches meet: the patches attend to the CNN branch, which is convolved further. */
export class GlobalLayer extends Module {
  private readonly norm1: LayerNorm;
  private readonly attention: VitAttention;
  private readonly norm2: LayerNorm;
  private readonly mlp: MlpBlock;
  private readonly mlpAdapter: FeatureAdapter;
  private readonly crossAttention: CrossBranchAttention;
  private readonly refine: ConvBlock;

  constructor(config: SamusVisionConfig) {
    super();
    const { hiddenSize, layerNormEps, mlpDim, hiddenAct } = config;
    this.norm1 = this.child('layer_norm1', new LayerNorm(hiddenSize, layerNormEps));
    this.attention = this.child('attn', new VitAttention(config, mapSizeOf(config)));
    this.norm2 = this.child('layer_norm2', new LayerNorm(hiddenSize, layerNormEps));
    this.mlp = this.child('mlp', new MlpBlock(hiddenSize, mlpDim, hiddenAct));
    this.mlpAdapter = this.child('MLP_Adapter', new FeatureAdapter(config));
    this.crossAttention = this.child('Space_Adapter', new CrossBranchAttention(config));
    this.refine = this.child('refine_Adapter', new ConvBlock(hiddenSize, hiddenSize));
  }

  forward(maps: BranchMaps, context: ForwardContext): BranchMaps {
    return context.block(this, maps, ({ x, cnn }) => {
      const normed = this.norm1.forward(x);
      const crossed = tf.add(normed, this.crossAttention.forward(normed, cnn)) as tf.Tensor4D; // [B, h, w, C]
      const seen = tf.add(x, this.attention.forward(crossed)); // [B, h, w, C]
      const between = this.norm2.forward(seen);
      const adapted = tf.mul(this.mlpAdapter.forward(between), ADAPTER_SCALE);
      return {
        x: tf.add(this.mlp.forward(between, seen), adapted) as tf.Tensor4D, // [B, h, w, C]
        cnn: this.refine.forward(cnn), // [B, h, w, C]
      };
    });
  }
}
