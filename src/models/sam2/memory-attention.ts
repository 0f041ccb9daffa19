import { tf } from '../../backend/index.js';
import { type ActivationName, dropout, type ForwardContext, LayerNorm, Linear, Module, throughHidden } from '../../nn/index.js';
import { axialRotation, type Rotation } from '../../ops/index.js';
import { RotaryAttention, type RotaryPlaces } from './rotary-attention.js';
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

/** Attention of an image to itself and to memories, and an MLP. */
class MemoryAttentionLayer extends Module {
  private readonly selfAttn: RotaryAttention;
  private readonly crossAttn: RotaryAttention;
  private readonly linear1: Linear;
  private readonly linear2: Linear;
  private readonly norm1: LayerNorm;
  private readonly norm2: LayerNorm;
  private readonly norm3: LayerNorm;
  private readonly activate: ActivationName;
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
    this.activate = feedForwardHiddenAct;
    this.rate = rate;
  }

  /** Attention of an image to itself, [B, N, C] to [B, N, C]. */
  attendToItself(image: tf.Tensor3D, { cos, sin, size }: RotaryPlaces, context: ForwardContext): tf.Tensor3D {
    const { x } = context.block([this.selfAttn, this.norm1], { image, cos, sin }, (given, mode) => {
      const normed = this.norm1.forward(given.image) as tf.Tensor3D; // [B, N, C]
      const places = { cos: given.cos, sin: given.sin, size };
      const mixed = this.selfAttn.forward(normed, { key: normed, value: normed }, places);
      return { x: tf.add(given.image, dropout(mixed, this.rate, mode)) as tf.Tensor3D };
    });
    return x;
  }

  /** Attention to memories and the MLP, [B, N, C] to [B, N, C]. */
  attendToMemory(x: tf.Tensor3D, memory: MemoryTokens, { cos, sin, size }: RotaryPlaces, context: ForwardContext): tf.Tensor3D {
    const { rotation: placed, ...tokens } = memory;
    const attended = { x, cos, sin, ...tokens, keyCos: placed?.cos, keySin: placed?.sin };
    const { y } = context.block([this.crossAttn, this.norm2], attended, (given, mode) => {
      const { maps, mapPositions, pointers, pointerPositions, keyCos, keySin } = given;
      const joined = (parts: (tf.Tensor3D | undefined)[]) =>
        tf.concat(
          parts.filter((part) => part !== undefined),
          1,
        );
      const value = joined([maps, pointers]); // [B, K, M]
      const keys = {
        key: tf.add(value, joined([mapPositions, pointerPositions])) as tf.Tensor3D, // [B, K, M]
        value,
        unplaced: pointers?.shape[1] ?? 0,
        placed: keyCos !== undefined && keySin !== undefined ? { cos: keyCos, sin: keySin } : undefined,
      };
      const normed = this.norm2.forward(given.x) as tf.Tensor3D; // [B, N, C]
      const mixed = this.crossAttn.forward(normed, keys, { cos: given.cos, sin: given.sin, size });
      return { y: tf.add(given.x, dropout(mixed, this.rate, mode)) };
    });
    const { z } = context.block([this.linear1, this.linear2, this.norm3], { y }, (given, mode) => {
      const layer = { expand: this.linear1, activate: this.activate, contract: this.linear2 };
      const normed = this.norm3.forward(given.y); // [B, N, C]
      if (!mode.training || this.rate === 0) return { z: throughHidden(normed, { ...layer, addTo: given.y }) };
      const drop = (t: tf.Tensor) => dropout(t, this.rate, mode);
      return { z: tf.add(given.y, drop(throughHidden(normed, { ...layer, drop }))) };
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
   * @param begun - of {@link begin}, with B rows. Default: computed here.
   * @returns [B, h, w, C] f32.
   */
  forward(
    image: tf.Tensor4D,
    positions: tf.Tensor2D,
    memory: MemoryTokens,
    context: ForwardContext,
    begun?: tf.Tensor3D,
  ): tf.Tensor4D {
    const [b, h, w, c] = image.shape;
    const places = this.places(h, w);
    const last = this.layers.reduce(
      (x, layer, i) => layer.attendToMemory(i === 0 ? x : layer.attendToItself(x, places, context), memory, places, context),
      begun ?? this.beginAt(places, image, positions, context),
    ); // [B, h * w, C]
    const { y } = context.block(this.norm, { last }, (given) => ({
      y: tf.reshape(this.norm.forward(given.last), [b, h, w, c]),
    }));
    return y as tf.Tensor4D;
  }

  /** The attention of an image to itself in the first layer, before any memory: the same for all objects. [B, h * w, C] f32. */
  begin(image: tf.Tensor4D, positions: tf.Tensor2D, context: ForwardContext): tf.Tensor3D {
    const [, h, w] = image.shape;
    return this.beginAt(this.places(h, w), image, positions, context);
  }

  private beginAt(places: RotaryPlaces, image: tf.Tensor4D, positions: tf.Tensor2D, context: ForwardContext): tf.Tensor3D {
    const [b, h, w, c] = image.shape;
    const { x } = context.block([], { image, positions }, (given) => ({
      x: tf.add(tf.reshape(given.image, [b, h * w, c]), tf.mul(given.positions, POSITION_SHARE)) as tf.Tensor3D,
    }));
    const [first] = this.layers;
    return first === undefined ? x : first.attendToItself(x, places, context);
  }

  private places(h: number, w: number): RotaryPlaces {
    const { hiddenSize, downsampleRate, numAttentionHeads, ropeTheta } = this.config;
    const depth = Math.floor(hiddenSize / downsampleRate) / numAttentionHeads;
    return { ...axialRotation(h, w, depth, ropeTheta), size: [h, w] }; // [h * w, depth / 2]
  }
}
