import { tf } from '../../backend/index.js';
import { Linear, Module } from '../../nn/index.js';
import { attend, hasMapAttention, mapAttention, type Rotation, rotate, savesByMaps } from '../../ops/index.js';
import type { MemoryAttentionConfig } from './video-config.js';

/** What queries attend to. */
interface RotaryKeys {
  /** [B, K, keyChannels], the cells of one or more maps, then `unplaced` tokens. */
  readonly key: tf.Tensor3D;
  /** [B, K, keyChannels]. */
  readonly value: tf.Tensor3D;
  /** Tokens that have no place and are not turned. Default: 0. */
  readonly unplaced?: number;
  /** Turns the keys, one row for each placed token, where these are no whole maps. Default: the queries' own, map after map. */
  readonly placed?: Rotation | undefined;
}

/** The places of queries. */
export interface RotaryPlaces extends Rotation {
  /** Height and width of the map that they are the cells of. */
  readonly size: readonly [number, number];
}

/** Attention whose queries and keys are turned by their places. */
export class RotaryAttention extends Module {
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
   * @returns [B, N, C].
   */
  forward(query: tf.Tensor3D, keys: RotaryKeys, places: RotaryPlaces): tf.Tensor3D {
    const turned = rotate(this.qProj.forward(query) as tf.Tensor3D, places, this.heads); // [B, N, inner]
    const mixed = this.mixTokens(turned, keys, places) ?? this.mixProjected(turned, keys, places);
    // The shares of a query sum to 1, so that the projection's bias comes out the same.
    return this.oProj.forward(this.narrow ? this.vProj.forward(mixed) : mixed) as tf.Tensor3D;
  }

  /** Mixes values by keys that never exist; undefined where that is not possible, or no gain. [B, N, keyChannels] */
  private mixTokens(query: tf.Tensor3D, { key, value, unplaced = 0, placed }: RotaryKeys, { cos, sin, size }: RotaryPlaces) {
    const { kProj } = this;
    if (!this.narrow || placed !== undefined || !hasMapAttention() || kProj.precision !== 'float32') return undefined;
    const [height, width] = size;
    const maps = (key.shape[1] - unplaced) / (height * width);
    if (!savesByMaps(size, maps, kProj.inFeatures, kProj.outFeatures)) return undefined;
    const dense = kProj.dense();
    return dense && mapAttention({ query, tokens: key, values: value, ...dense, rotation: { cos, sin }, size, maps });
  }

  /** [B, N, keyChannels or inner]. */
  private mixProjected(query: tf.Tensor3D, { key, value, unplaced = 0, placed }: RotaryKeys, places: RotaryPlaces): tf.Tensor3D {
    const { heads } = this;
    const keys = this.kProj.forward(key) as tf.Tensor3D; // [B, K, inner]
    const count = keys.shape[1] - unplaced;
    const turned = rotate(keys.slice([0, 0, 0], [-1, count, -1]), placed ?? places, heads);
    return attend({
      query,
      key: unplaced === 0 ? turned : tf.concat([turned, keys.slice([0, count, 0], [-1, unplaced, -1])], 1),
      value: this.narrow ? value : this.vProj.forward(value),
      heads,
      precision: this.qProj.precision,
    });
  }
}
