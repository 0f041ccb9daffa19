import { tf } from '../../backend/index.js';
import { type Activation, activation, dropout, type ForwardContext, LayerNorm, Linear, Module } from '../../nn/index.js';
import { attend, axialRotation, type Rotation, rotate } from '../../ops/index.js';
import type { MemoryAttentionConfig } from './video-config.js';

/** What an image attends to. */
export interface MemoryTokens {
  /** [B, F * h * w, M] f32: maps of F frames, one after the other. */
  readonly maps: tf.Tensor3D;
  /** [B, F * h * w, M] f32: where and when. */
  readonly mapPositions: tf.Tensor3D;
  /** [B, P, M] f32: object pointers in parts; they have no place and are not turned. */
  readonly pointers?: tf.Tensor3D | undefined;
  /** [B, P, M] f32. */
  readonly pointerPositions?: tf.Tensor3D | undefined;
  /** Turns the keys of `maps`, one row for each token, where these are no whole maps. Default: the image's own, map after map. */
  readonly rotation?: Rotation | undefined;
}

/** Share of the image's positions that is added before the first layer. */
const POSITION_SHARE = 0.1;

/** Attention whose queries and keys are turned by their places. */
class RotaryAttention extends Module {
  private readonly qProj: Linear;
  private readonly kProj: Linear;
  private readonly vProj: Linear;
  private readonly oProj: Linear;
  private readonly heads: number;
  /** Whether what is attended to is narrower than its projection to values: then it is mixed before it is projected. */
  private readonly narrow: boolean;

  constructor({ hiddenSize, downsampleRate, numAttentionHeads }: MemoryAttentionConfig, keyChannels: number) {
    super();
    const inner = Math.floor(hiddenSize / downsampleRate);
    this.heads = numAttentionHeads;
    this.narrow = numAttentionHeads === 1 && keyChannels < inner;
    this.qProj = this.child('q_proj', new Linear(hiddenSize, inner));
    this.kProj = this.child('k_proj', new Linear(keyChannels, inner));
    this.vProj = this.child('v_proj', new Linear(keyChannels, inner));
    this.oProj = this.child('o_proj', new Linear(inner, hiddenSize));
  }

  /**
   * @param query - [B, N, C], the cells of one map.
   * @param key - [B, K, keyChannels], the cells of one or more maps, then `unplaced` tokens.
   * @param value - [B, K, keyChannels].
   * @param placed - turns the keys.
   * @returns [B, N, C].
   */
  forward(
    query: tf.Tensor3D,
    key: tf.Tensor3D,
    value: tf.Tensor3D,
    rotation: Rotation,
    { unplaced = 0, placed = rotation }: { readonly unplaced?: number; readonly placed?: Rotation } = {},
  ): tf.Tensor3D {
    const { heads } = this;
    const keys = this.kProj.forward(key) as tf.Tensor3D; // [B, K, inner]
    const count = keys.shape[1] - unplaced;
    const turned = rotate(keys.slice([0, 0, 0], [-1, count, -1]), placed, heads);
    const attended = attend({
      query: rotate(this.qProj.forward(query) as tf.Tensor3D, rotation, heads),
      key: unplaced === 0 ? turned : tf.concat([turned, keys.slice([0, count, 0], [-1, unplaced, -1])], 1),
      value: this.narrow ? value : this.vProj.forward(value),
      heads,
      precision: this.qProj.precision,
    });
    // The shares of a query sum to 1, so that the projection's bias comes out the same.
    return this.oProj.forward(this.narrow ? this.vProj.forward(attended) : attended) as tf.Tensor3D;
  }
}

/** Attention of an image to itself and to memories, and an MLP. */
class MemoryAttentionLayer extends Module {
  private readonly selfAttn: RotaryAttention;
  private readonly crossAttn: RotaryAttention;
  private readonly linear1: Linear;
  private readonly linear2: Linear;
  private readonly norm1: LayerNorm;
  private readonly norm2: LayerNorm;
  private readonly norm3: LayerNorm;
  private readonly activate: Activation;
  private readonly rate: number;

  constructor(config: MemoryAttentionConfig) {
    super();
    const { hiddenSize, feedForwardHiddenSize, feedForwardHiddenAct, dropout: rate, memoryChannels } = config;
    this.selfAttn = this.child('self_attn', new RotaryAttention(config, hiddenSize));
    this.crossAttn = this.child('cross_attn_image', new RotaryAttention(config, memoryChannels));
    this.linear1 = this.child('linear1', new Linear(hiddenSize, feedForwardHiddenSize));
    this.linear2 = this.child('linear2', new Linear(feedForwardHiddenSize, hiddenSize));
    this.norm1 = this.child('layer_norm1', new LayerNorm(hiddenSize));
    this.norm2 = this.child('layer_norm2', new LayerNorm(hiddenSize));
    this.norm3 = this.child('layer_norm3', new LayerNorm(hiddenSize));
    this.activate = activation(feedForwardHiddenAct);
    this.rate = rate;
  }

  /** [B, N, C] to [B, N, C]. */
  forward(image: tf.Tensor3D, memory: MemoryTokens, rotation: Rotation, context: ForwardContext): tf.Tensor3D {
    const { cos, sin } = rotation;
    const { rotation: placed, ...tokens } = memory;
    const { x } = context.block([this.selfAttn, this.norm1], { image, cos, sin }, (given, mode) => {
      const normed = this.norm1.forward(given.image); // [B, N, C]
      return { x: tf.add(given.image, dropout(this.selfAttn.forward(normed, normed, normed, given), this.rate, mode)) };
    });
    const attended = { x, cos, sin, ...tokens, keyCos: placed?.cos, keySin: placed?.sin };
    const { y } = context.block([this.crossAttn, this.norm2], attended, (given, mode) => {
      const { maps, mapPositions, pointers, pointerPositions, keyCos, keySin } = given;
      const joined = (parts: (tf.Tensor3D | undefined)[]) =>
        tf.concat(
          parts.filter((part) => part !== undefined),
          1,
        );
      const values = joined([maps, pointers]); // [B, K, M]
      const keys = tf.add(values, joined([mapPositions, pointerPositions])) as tf.Tensor3D; // [B, K, M]
      const normed = this.norm2.forward(given.x) as tf.Tensor3D; // [B, N, C]
      const how = {
        unplaced: pointers?.shape[1] ?? 0,
        ...(keyCos !== undefined && keySin !== undefined && { placed: { cos: keyCos, sin: keySin } }),
      };
      return { y: tf.add(given.x, dropout(this.crossAttn.forward(normed, keys, values, given, how), this.rate, mode)) };
    });
    const { z } = context.block([this.linear1, this.linear2, this.norm3], { y }, (given, mode) => {
      const hidden = this.activate(this.linear1.forward(this.norm3.forward(given.y))); // [B, N, hidden]
      const mapped = this.linear2.forward(dropout(hidden, this.rate, mode));
      return { z: tf.add(given.y, dropout(mapped, this.rate, mode)) };
    });
    return z as tf.Tensor3D;
  }
}

/**
 * Conditions the features of an image on memories of other frames.
 *
 * @see Ravi et al. 2024, SAM 2, section 4, "Memory attention"
 */
export class MemoryAttention extends Module {
  private readonly layers: MemoryAttentionLayer[];
  private readonly norm: LayerNorm;
  private readonly config: MemoryAttentionConfig;

  constructor(config: MemoryAttentionConfig) {
    super();
    this.config = config;
    this.layers = this.childList(
      'layers',
      Array.from({ length: config.numLayers }, () => new MemoryAttentionLayer(config)),
    );
    this.norm = this.child('layer_norm', new LayerNorm(config.hiddenSize));
  }

  /**
   * @param image - [B, h, w, C] f32.
   * @param positions - [h * w, C] f32, a constant.
   * @returns [B, h, w, C] f32.
   */
  forward(image: tf.Tensor4D, positions: tf.Tensor2D, memory: MemoryTokens, context: ForwardContext): tf.Tensor4D {
    const [b, h, w, c] = image.shape;
    const { hiddenSize, downsampleRate, numAttentionHeads, ropeTheta } = this.config;
    const depth = Math.floor(hiddenSize / downsampleRate) / numAttentionHeads;
    const rotation = axialRotation(h, w, depth, ropeTheta); // [h * w, depth / 2]
    const first = context.block([], { image, positions }, (given) => ({
      x: tf.add(tf.reshape(given.image, [b, h * w, c]), tf.mul(given.positions, POSITION_SHARE)),
    }));
    const last = this.layers.reduce((x, layer) => layer.forward(x, memory, rotation, context), first.x as tf.Tensor3D);
    const { y } = context.block(this.norm, { last }, (given) => ({
      y: tf.reshape(this.norm.forward(given.last), [b, h, w, c]),
    }));
    return y as tf.Tensor4D;
  }
}
