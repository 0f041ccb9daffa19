import { tf } from '../../backend/index.js';
import { type ForwardContext, normal, type Parameter, TensorLayer, uniform, zeros } from '../../nn/index.js';
import { resizeBicubic } from '../../ops/index.js';
import { SonogroundError } from '../../util/index.js';
import type { HieraConfig } from './config.js';
import { MultiScaleBlock } from './multi-scale-block.js';

/** Standard deviation of initial position embeddings. */
const POSITION_STD = 0.02;

/**
 * Hiera, the image backbone of SAM 2: windowed attention blocks, in stages that halve the map and widen its channels.
 *
 * @see Ryali et al. 2023, Hiera; Bolya et al. 2023, Window Attention is Bugged
 */
export class Hiera extends TensorLayer {
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
   * @param pixelValues - [B, H, W, channels] f32, normalised; not necessarily square.
   * @returns one map per stage: [B, H / 4, W / 4, C], then half the size each.
   * @throws SonogroundError when the windows of the first stage do not tile the patches.
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

  /** Patch embeddings plus position embeddings: a coarse map of the whole image and a fine one repeated per window. */
  private embed(pixelValues: tf.Tensor4D): tf.Tensor4D {
    const patches = this.patchEmbed.forward(pixelValues); // [B, h, w, C]
    const [, h, w, c] = patches.shape;
    const window = this.posEmbedWindow.value;
    const [, size = 1] = window.shape;
    if (h % size !== 0 || w % size !== 0)
      throw new SonogroundError({
        code: 'E_SHAPE',
        where: 'Hiera pixelValues',
        what: `expected numbers of patches that are multiples of the first window, ${size}, got ${h} x ${w}`,
        fix: 'Bring images to a size whose patches windows can tile',
      });
    const coarse = resizeBicubic(this.posEmbed.value as unknown as tf.Tensor4D, [h, w]);
    const cells = tf.reshape(tf.add(patches, coarse), [-1, h / size, size, w / size, size * c]);
    return tf.reshape(tf.add(cells, tf.reshape(window, [1, 1, size, 1, size * c])), patches.shape);
  }
}

class PatchEmbed extends TensorLayer {
  private readonly projection: PatchProjection;

  constructor(config: HieraConfig) {
    super();
    this.projection = this.child('projection', new PatchProjection(config));
  }

  forward(pixelValues: tf.Tensor4D): tf.Tensor4D {
    return this.projection.forward(pixelValues);
  }
}

/** A convolution whose kernel, stride and padding may differ between rows and columns. */
class PatchProjection extends TensorLayer {
  private readonly weight: Parameter;
  private readonly bias: Parameter;
  private readonly stride: readonly [number, number];
  private readonly padding: readonly [number, number];

  constructor({ numChannels, hiddenSize, patchKernelSize, patchStride, patchPadding }: HieraConfig) {
    super();
    const [kh, kw] = patchKernelSize;
    const init = uniform(1 / Math.sqrt(numChannels * kh * kw));
    this.weight = this.parameter('weight', [kh, kw, numChannels, hiddenSize], { init, layout: 'conv2d' });
    this.bias = this.parameter('bias', [hiddenSize], { init: zeros });
    this.stride = patchStride;
    this.padding = patchPadding;
  }

  /** [B, H, W, channels] to [B, h, w, C]. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    const [rows, columns] = this.padding;
    // Padded beforehand: the native gradient does not support explicit padding.
    const padded = tf.pad(x, [
      [0, 0],
      [rows, rows],
      [columns, columns],
      [0, 0],
    ]);
    return tf.add(tf.conv2d(padded, this.weight.value as tf.Tensor4D, [...this.stride], 'valid'), this.bias.value);
  }
}
