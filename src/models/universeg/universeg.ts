import { tf } from '../../backend/index.js';
import {
  type ConfigDict,
  type ForwardContext,
  inference,
  Module,
  type Serializable,
  type SerializableClass,
} from '../../nn/index.js';
import { assertShape, SonogroundError } from '../../util/index.js';
import type { UniverSegConfig } from './config.js';
import { CrossBlock, meanOfEach } from './cross-block.js';
import { SameConv2d } from './same-conv2d.js';

/** Supports as far as they can be encoded without a target. */
export interface UniverSegSupport {
  /** [B * S, H, W, 2] f32: images and masks. */
  readonly inputs: tf.Tensor4D;
  /** [B * S, H, W, C] f32: the first block's support maps before the target's part. */
  readonly parts: tf.Tensor4D;
}

/** Channels of the first block's inputs: a grey image, and one with its mask. */
const IMAGES = { target: 1, support: 2 };

/** Target and support maps between two blocks; the support has S maps for each of the target. */
interface Maps extends Record<string, tf.Tensor4D> {
  /** [B, h, w, C] f32. */
  readonly target: tf.Tensor4D;
  /** [B * S, h, w, C] f32. */
  readonly support: tf.Tensor4D;
}

/**
 * UniverSeg: segments an image by examples. A U-Net over the image and S pairs of an image and its mask, whose blocks let each
 * pair interact with the image.
 *
 * All support maps but the first block's linear part depend on the target: {@link encodeSupport} computes this part, the largest
 * of the network, for any number of targets.
 *
 * @see Butoi, Gonzalez Ortiz et al. 2023, UniverSeg; JJGO/UniverSeg, whose checkpoint keys are the paths here
 */
export class UniverSeg extends Module {
  readonly config: UniverSegConfig;
  private readonly encoder: CrossBlock[];
  private readonly decoder: CrossBlock[];
  private readonly outConv: SameConv2d;

  constructor(config: UniverSegConfig) {
    super();
    const { encoderBlocks, decoderBlocks } = config;
    this.config = config;
    const skips = encoderBlocks.map(([, conv]) => conv);
    this.encoder = this.childList(
      'enc_blocks',
      encoderBlocks.map((widths, i) => {
        const channels = skips[i - 1];
        return new CrossBlock(channels === undefined ? IMAGES : { target: channels, support: channels }, widths);
      }),
    );
    this.decoder = this.childList(
      'dec_blocks',
      decoderBlocks.map((widths, i) => {
        const below = decoderBlocks[i - 1]?.[1] ?? (skips.at(-1) as number);
        const channels = below + (skips.at(-2 - i) as number);
        return new CrossBlock({ target: channels, support: channels }, widths);
      }),
    );
    const last = (decoderBlocks.at(-1) as (typeof decoderBlocks)[number])[1];
    this.outConv = this.child('out_conv.conv', new SameConv2d(last, 1, { kernelSize: 1, gain: 1 }));
  }

  /**
   * For `apply`: {@link forward} in evaluation mode.
   *
   * @param inputs - target, support images and support masks.
   * @throws Error for another number of tensors.
   */
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const given = Array.isArray(inputs) ? inputs : [inputs];
    if (given.length !== 3)
      throw new Error(`${this.name}: expected [target, supportImages, supportMasks], got ${given.length} tensors`);
    return this.forward(...(given as [tf.Tensor4D, tf.Tensor5D, tf.Tensor5D]), inference);
  }

  override getConfig(): ConfigDict {
    return { ...super.getConfig(), config: this.config as unknown as ConfigDict };
  }

  static override fromConfig<T extends Serializable>(_class: SerializableClass<T>, config: ConfigDict): T {
    return Module.restored(new UniverSeg(config['config'] as unknown as UniverSegConfig), config);
  }

  /**
   * Segments each target by its own supports. H and W are multiples of the coarsest level's stride; the published weights were
   * trained on 128x128 with 64 supports. Under a recording context the result belongs to it, otherwise to the caller.
   *
   * @param target - [B, 1, H, W] f32, grey in [0, 1].
   * @param supportImages - [B, S, 1, H, W] f32, grey in [0, 1].
   * @param supportMasks - [B, S, 1, H, W] f32, 0 or 1.
   * @returns [B, 1, H, W] f32: mask logits.
   * @throws SonogroundError when the shapes do not fit each other or the model.
   */
  forward(target: tf.Tensor4D, supportImages: tf.Tensor5D, supportMasks: tf.Tensor5D, context: ForwardContext): tf.Tensor4D {
    assertShape(supportImages, [target.shape[0], ...Array(4).fill(null)], 'UniverSeg supportImages');
    return tf.tidy(() => this.decode(target, this.encodeSupport(supportImages, supportMasks, context), context));
  }

  /**
   * Encodes supports as far as they do not depend on the target. Under a recording context the result belongs to it, otherwise
   * to the caller.
   *
   * @param supportImages - [B, S, 1, H, W] f32, grey in [0, 1].
   * @param supportMasks - [B, S, 1, H, W] f32, 0 or 1.
   * @throws SonogroundError when the shapes do not fit each other or the model, or there is no support.
   */
  encodeSupport(supportImages: tf.Tensor5D, supportMasks: tf.Tensor5D, context: ForwardContext): UniverSegSupport {
    const [b, s, , h, w] = supportImages.shape;
    assertShape(supportImages, [null, null, 1, null, null], 'UniverSeg supportImages');
    assertShape(supportMasks, [b, s, 1, h, w], 'UniverSeg supportMasks');
    this.checkSize(h, w, 'UniverSeg supportImages');
    if (s === 0) throw new SonogroundError({ code: 'E_SHAPE', where: 'UniverSeg supportImages', what: 'there is no support' });
    const first = this.encoder[0] as CrossBlock;
    return tf.tidy(() => {
      // One channel: the same values in the same order in both layouts.
      const maps = [supportImages, supportMasks].map((x) => tf.reshape(x, [b * s, h, w, 1]) as tf.Tensor4D);
      const inputs = tf.concat(maps, 3); // [B * S, H, W, 2]
      const { parts } = context.block(first, { inputs }, (x) => ({ parts: first.supportPart(x.inputs) })); // [B * S, H, W, C]
      return { inputs, parts };
    });
  }

  /**
   * Segments targets by encoded supports, {@link forward}'s second half. Under a recording context the result belongs to it,
   * otherwise to the caller.
   *
   * @param target - [B, 1, H, W] f32, grey in [0, 1].
   * @param support - of as many supports for each target.
   * @returns [B, 1, H, W] f32: mask logits.
   * @throws SonogroundError when the shapes do not fit each other or the model.
   */
  decode(target: tf.Tensor4D, { inputs, parts }: UniverSegSupport, context: ForwardContext): tf.Tensor4D {
    const [b, , h, w] = target.shape;
    assertShape(target, [null, 1, null, null], 'UniverSeg target');
    this.checkSize(h, w, 'UniverSeg target');
    assertShape(inputs, [null, h, w, 2], 'UniverSeg support');
    if (inputs.shape[0] % b !== 0)
      throw new SonogroundError({
        code: 'E_SHAPE',
        where: 'UniverSeg support',
        what: `expected as many supports for each of ${b} targets, got ${inputs.shape[0]} in all`,
      });
    return tf.tidy(() => {
      const image = tf.reshape(target, [b, h, w, 1]) as tf.Tensor4D;

      // a) The encoder halves the maps after each block but the last. Of the finest support maps, the decoder needs the mean.
      const [first, ...others] = this.encoder as [CrossBlock, ...CrossBlock[]];
      const finest = context.block(first, { image, inputs, parts }, (x) => {
        const maps = first.forwardParts(x.image, meanOfEach(x.inputs, b), x.parts);
        return { target: maps.target, support: meanOfEach(maps.support, b), ...pooled(maps) };
      });
      const skips: Maps[] = [];
      let { pooledTarget, pooledSupport } = finest; // [B, H / 2, W / 2, C], [B * S, H / 2, W / 2, C]
      for (const block of others.slice(0, -1)) {
        const level = context.block(block, { pooledTarget, pooledSupport }, (x) => {
          const maps = block.forward(x.pooledTarget, x.pooledSupport);
          return { ...maps, ...pooled(maps) };
        });
        skips.push({ target: level.target, support: level.support });
        ({ pooledTarget, pooledSupport } = level);
      }
      const bottom = others.at(-1) as CrossBlock;
      let maps: Maps = context.block(bottom, { pooledTarget, pooledSupport }, (x) =>
        bottom.forward(x.pooledTarget, x.pooledSupport),
      );

      // b) The decoder doubles them before each block, and adds the encoder's as channels.
      for (const block of this.decoder.slice(0, -1)) {
        const skip = skips.pop() as Maps;
        const taken = { target: maps.target, support: maps.support, skipTarget: skip.target, skipSupport: skip.support };
        maps = context.block(block, taken, (x) =>
          block.forward(joined(x.target, x.skipTarget), joined(x.support, x.skipSupport)),
        );
      }

      // c) Nothing reads the last support maps: of the supports, only their mean matters.
      const last = this.decoder.at(-1) as CrossBlock;
      const taken = { target: maps.target, support: maps.support, skipTarget: finest.target, skipMean: finest.support };
      const { logits } = context.block([last, this.outConv], taken, (x) => {
        const mean = joined(meanOfEach(x.support, b), x.skipMean); // [B, H, W, 2 C]
        const features = last.forwardTarget(joined(x.target, x.skipTarget), mean); // [B, H, W, C]
        return { logits: tf.reshape(this.outConv.forward(features), [b, 1, h, w]) as tf.Tensor4D };
      });
      return logits;
    });
  }

  private checkSize(h: number, w: number, where: string): void {
    const stride = 2 ** (this.encoder.length - 1);
    if (h > 0 && w > 0 && h % stride === 0 && w % stride === 0) return;
    throw new SonogroundError({ code: 'E_SHAPE', where, what: `expected sides that ${stride} divides, got ${h}x${w}` });
  }
}

/** Maps at half the resolution: the largest of each 2x2. */
function pooled({ target, support }: { target: tf.Tensor4D; support: tf.Tensor4D }) {
  return { pooledTarget: tf.maxPool(target, 2, 2, 'valid'), pooledSupport: tf.maxPool(support, 2, 2, 'valid') };
}

/** Maps at twice the resolution, bilinear between corners, and those of the encoder as further channels. */
function joined(coarse: tf.Tensor4D, skip: tf.Tensor4D): tf.Tensor4D {
  const [, h, w] = coarse.shape;
  return tf.concat([tf.image.resizeBilinear(coarse, [2 * h, 2 * w], true), skip], 3);
}
