import { tf } from '../../backend/index.js';
import { Conv2d, type ForwardContext, type Parameter, TensorLayer, zeros } from '../../nn/index.js';
import { assertShape } from '../../util/index.js';
import { mapSizeOf, type VitConfig } from './config.js';
import { Neck } from './neck.js';
import { VitLayer } from './vit-layer.js';

/**
 * The image encoder of SAM: a plain vision transformer with windowed attention in most layers, and a neck.
 *
 * @see Li et al. 2022, Exploring Plain Vision Transformer Backbones for Object Detection; Kirillov et al. 2023, Segment Anything,
 * appendix A, "Image encoder"
 */
export class Vit extends TensorLayer {
  readonly config: VitConfig;
  private readonly patchEmbed: PatchEmbed;
  private readonly posEmbed: Parameter | undefined;
  private readonly layers: VitLayer[];
  private readonly neck: Neck;

  constructor(config: VitConfig) {
    super();
    const { hiddenSize, numHiddenLayers, useAbsPos } = config;
    const side = mapSizeOf(config);
    this.config = config;
    this.posEmbed = useAbsPos ? this.parameter('pos_embed', [1, side, side, hiddenSize], { init: zeros }) : undefined;
    this.patchEmbed = this.child('patch_embed', new PatchEmbed(config));
    this.layers = this.childList(
      'layers',
      Array.from({ length: numHiddenLayers }, (_, i) => new VitLayer(config, i)),
    );
    this.neck = this.child('neck', new Neck(config));
  }

  /**
   * @param pixelValues - [B, S, S, channels] f32, normalised, where S is the configured image size.
   * @returns [B, S / patch, S / patch, output channels].
   * @throws SonogroundError when the images have another size.
   */
  forward(pixelValues: tf.Tensor4D, context: ForwardContext): tf.Tensor4D {
    const { imageSize, numChannels } = this.config;
    assertShape(pixelValues, [null, imageSize, imageSize, numChannels], 'Vit pixelValues');
    const owners = this.posEmbed === undefined ? [this.patchEmbed] : [this.patchEmbed, this.posEmbed];
    const steps = [
      (x: tf.Tensor4D) => context.block(owners, { x }, (inputs) => ({ y: this.embed(inputs.x) })).y, // [B, h, w, C]
      ...this.layers.map((layer) => (x: tf.Tensor4D) => layer.forward(x, context)), // [B, h, w, C]
      (x: tf.Tensor4D) => context.block(this.neck, { x }, (inputs) => ({ y: this.neck.forward(inputs.x) })).y, // [B, h, w, output channels]
    ];
    return steps.reduce((x, step, i) => {
      const y = step(x);
      // Outside training nothing else references the intermediates, and a large encoder has dozens.
      if (i > 0 && !context.training) x.dispose();
      return y;
    }, pixelValues);
  }

  private embed(pixelValues: tf.Tensor4D): tf.Tensor4D {
    const patches = this.patchEmbed.forward(pixelValues);
    return this.posEmbed === undefined ? patches : tf.add(patches, this.posEmbed.value);
  }
}

class PatchEmbed extends TensorLayer {
  private readonly projection: Conv2d;

  constructor({ numChannels, hiddenSize, patchSize }: VitConfig) {
    super();
    this.projection = this.child('projection', new Conv2d(numChannels, hiddenSize, { kernelSize: patchSize, stride: patchSize }));
  }

  forward(pixelValues: tf.Tensor4D): tf.Tensor4D {
    return this.projection.forward(pixelValues);
  }
}
