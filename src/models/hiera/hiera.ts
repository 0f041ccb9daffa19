import { tf } from '../../backend/index.js';
import { Conv2d, type ForwardContext, Module, normal, type Parameter } from '../../nn/index.js';
import { resizeBicubic } from '../../ops/index.js';
import type { HieraConfig } from './config.js';
import { MultiScaleBlock } from './multi-scale-block.js';

/** Spread of the position embeddings of a model that is trained from nothing. */
const POSITION_STD = 0.02;

/**
 * Hiera, the image backbone of SAM 2: blocks of attention within windows, in stages that halve the map and widen its
 * channels.
 *
 * @see Ryali et al. 2023, Hiera; Bolya et al. 2023, Window Attention is Bugged
 */
export class Hiera extends Module {
  private readonly patchEmbed: PatchEmbed;
  private readonly posEmbed: Parameter;
  private readonly posEmbedWindow: Parameter;
  private readonly blocks: MultiScaleBlock[];
  private readonly stageEnds: readonly number[];

  constructor(config: HieraConfig) {
    super();
    const { hiddenSize, windowPositionalEmbeddingBackgroundSize: background, windowSizePerStage, blocksPerStage } = config;
    const window = windowSizePerStage[0] as number;
    const init = normal(POSITION_STD);
    this.posEmbed = this.parameter('pos_embed', [1, ...background, hiddenSize], { init, layout: 'map' });
    this.posEmbedWindow = this.parameter('pos_embed_window', [1, window, window, hiddenSize], { init, layout: 'map' });
    this.patchEmbed = this.child('patch_embed', new PatchEmbed(config));
    const places = blocksPerStage.flatMap((count, stage) => Array.from({ length: count }, (_, k) => ({ stage, first: k === 0 })));
    this.blocks = this.childList(
      'blocks',
      places.map((place, index) => new MultiScaleBlock(config, { ...place, index })),
    );
    this.stageEnds = places.flatMap(({ stage }, i) => (places[i + 1]?.stage === stage ? [] : [i]));
  }

  /**
   * @param pixelValues - [B, H, W, 3] f32, normalised.
   * @returns the map of each stage, [B, H / 4, W / 4, C], then half as large each.
   */
  forward(pixelValues: tf.Tensor4D, context: ForwardContext): tf.Tensor4D[] {
    let { x } = context.block([this.patchEmbed, this.posEmbed, this.posEmbedWindow], { pixelValues }, (inputs) => ({
      x: this.embed(inputs.pixelValues),
    })); // [B, H / 4, W / 4, C]
    const stages: tf.Tensor4D[] = [];
    for (const [i, block] of this.blocks.entries()) {
      x = block.forward(x, context);
      if (this.stageEnds.includes(i)) stages.push(x);
    }
    return stages;
  }

  /** Patches plus where they lie: a coarse map for the whole image and a fine one that repeats with the windows. */
  private embed(pixelValues: tf.Tensor4D): tf.Tensor4D {
    const patches = this.patchEmbed.forward(pixelValues); // [B, h, w, C]
    const [, h, w] = patches.shape;
    const window = this.posEmbedWindow.value;
    const [, wh = 1, ww = 1] = window.shape;
    const coarse = resizeBicubic(this.posEmbed.value as unknown as tf.Tensor4D, [h, w]);
    const fine = tf.tile(window, [1, Math.floor(h / wh), Math.floor(w / ww), 1]);
    return tf.add(patches, tf.add(coarse, fine));
  }
}

class PatchEmbed extends Module {
  private readonly projection: Conv2d;

  constructor({ numChannels, hiddenSize, patchKernelSize, patchStride, patchPadding }: HieraConfig) {
    super();
    const [kernelSize] = patchKernelSize;
    const [stride] = patchStride;
    const [padding] = patchPadding;
    this.projection = this.child('projection', new Conv2d(numChannels, hiddenSize, { kernelSize, stride, padding }));
  }

  forward(pixelValues: tf.Tensor4D): tf.Tensor4D {
    return this.projection.forward(pixelValues);
  }
}
