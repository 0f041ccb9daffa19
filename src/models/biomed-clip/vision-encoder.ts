import { tf } from '../../backend/index.js';
import { Conv2d, type ForwardContext, LayerNorm, Linear, Module, normal, type Parameter } from '../../nn/index.js';
import { assertShape } from '../../util/index.js';
import { patchesAcross, type VisionConfig } from './config.js';
import { type BlockNorm, VisionBlock } from './vision-block.js';

/** Standard deviation of the initial class token and positions, as in timm. */
const INITIAL_STD = 0.02;

/**
 * A vision transformer with a class token, whose last state is projected to the features of an image: timm's
 * `vit_base_patch16_224` in open_clip's wrapper.
 *
 * @see Dosovitskiy et al. 2020, An Image is Worth 16x16 Words
 */
export class VisionEncoder extends Module {
  readonly config: VisionConfig;
  private readonly classToken: Parameter;
  private readonly positions: Parameter;
  private readonly patches: Conv2d;
  private readonly blocks: VisionBlock[];
  private readonly norm: LayerNorm;
  private readonly head: Linear;

  constructor(config: VisionConfig, projectionDim: number) {
    super();
    const { hiddenSize, numHiddenLayers, numChannels, patchSize, layerNormEps } = config;
    this.config = config;
    const init = normal(INITIAL_STD);
    const tokens = 1 + patchesAcross(config) ** 2;
    this.classToken = this.parameter('trunk.cls_token', [1, 1, hiddenSize], { init });
    this.positions = this.parameter('trunk.pos_embed', [1, tokens, hiddenSize], { init });
    const patch = { kernelSize: patchSize, stride: patchSize };
    this.patches = this.child('trunk.patch_embed.proj', new Conv2d(numChannels, hiddenSize, patch));
    this.blocks = this.childList(
      'trunk.blocks',
      Array.from({ length: numHiddenLayers }, () => new VisionBlock(config)),
    );
    this.norm = this.child('trunk.norm', new LayerNorm(hiddenSize, layerNormEps));
    this.head = this.child('head.proj', new Linear(hiddenSize, projectionDim, { bias: false }));
  }

  /**
   * @param pixelValues - [B, S, S, channels] f32, normalised, where S is the configured image size.
   * @returns [B, features] f32, not normalised.
   * @throws SonogroundError when the images have another size.
   */
  forward(pixelValues: tf.Tensor4D, context: ForwardContext): tf.Tensor2D {
    return tf.tidy(() => this.pool(this.statesAfter(pixelValues, 0, context), 0, context));
  }

  /**
   * The states after the first blocks.
   *
   * @param count - of blocks, fewer than all: the last one computes the class token alone.
   * @returns [B, 1 + patches, C] f32: the class token, then the patches row by row.
   * @throws SonogroundError when the images have another size.
   */
  statesAfter(pixelValues: tf.Tensor4D, count: number, context: ForwardContext): tf.Tensor3D {
    const { imageSize, numChannels, hiddenSize } = this.config;
    assertShape(pixelValues, [null, imageSize, imageSize, numChannels], 'BiomedClip pixelValues');
    const owners = [this.patches, this.classToken, this.positions];
    return tf.tidy(() => {
      const { embedded } = context.block(owners, { pixelValues }, (x) => {
        const map = this.patches.forward(x.pixelValues); // [B, h, w, C]
        const patches = tf.reshape(map, [map.shape[0], -1, hiddenSize]) as tf.Tensor3D; // [B, h * w, C]
        const first = tf.tile(this.classToken.value as tf.Tensor, [map.shape[0], 1, 1]) as tf.Tensor3D;
        return { embedded: tf.add(tf.concat([first, patches], 1), this.positions.value) as tf.Tensor3D }; // [B, 1 + h * w, C]
      });
      return this.blocks.slice(0, count).reduce((x, block) => block.forward(x, context), embedded);
    });
  }

  /**
   * Features from the states after the first blocks: the rest of {@link forward}.
   *
   * @param states - [B, 1 + patches, C] f32.
   * @param count - of the blocks that they passed, fewer than all.
   * @returns [B, features] f32, not normalised.
   */
  pool(states: tf.Tensor3D, count: number, context: ForwardContext): tf.Tensor2D {
    const last = this.blocks.at(-1) as VisionBlock;
    return tf.tidy(() => {
      const before = this.blocks.slice(count, -1).reduce((x, block) => block.forward(x, context), states); // [B, 1 + h * w, C]
      return this.project(last.firstTokens(before, 1, context), context); // [B, features]
    });
  }

  /**
   * What a norm of the last block gives for the states before it.
   *
   * @param states - [B, 1 + patches, C] f32.
   * @returns the same shape.
   */
  lastNormed(states: tf.Tensor3D, norm: BlockNorm, context: ForwardContext): tf.Tensor3D {
    return (this.blocks.at(-1) as VisionBlock).normed(states, norm, context);
  }

  /**
   * Features from the states before the last block if a norm of that had given another result, for gradients with respect to it.
   *
   * @param normed - [B, 1 + patches, C] f32, in place of {@link lastNormed}.
   * @returns [B, features] f32, not normalised.
   */
  poolFromNormed(states: tf.Tensor3D, norm: BlockNorm, normed: tf.Tensor3D, context: ForwardContext): tf.Tensor2D {
    const last = this.blocks.at(-1) as VisionBlock;
    return tf.tidy(() => this.project(last.firstTokenFrom(states, norm, normed, context), context));
  }

  /** [B, 1, C] to [B, features]. */
  private project(token: tf.Tensor3D, context: ForwardContext): tf.Tensor2D {
    return context.block([this.norm, this.head], { token }, (x) => {
      const flat = tf.reshape(this.norm.forward(x.token), [-1, this.config.hiddenSize]);
      return { features: this.head.forward(flat) as tf.Tensor2D };
    }).features;
  }
}
