import { tf } from '../../backend/index.js';
import { Conv2d, type ForwardContext, type Parameter, TensorLayer, zeros } from '../../nn/index.js';
import { resizeBilinear } from '../../ops/index.js';
import { assertShape } from '../../util/index.js';
import { mapSizeOf, Neck, VitLayer } from '../vit/index.js';
import { CnnBranch, PositionReduction } from './cnn-branch.js';
import type { SamusVisionConfig } from './config.js';
import { FeatureAdapter } from './feature-adapter.js';
import { type BranchMaps, GlobalLayer } from './global-layer.js';

/** Weight of the CNN branch in the features; fixed in the reference. */
const BRANCH_SCALE = 0.5;

/**
 * The image encoder of SAMUS: SAM's, for small images and with adapters, beside a branch of convolutions. The branches meet in the
 * layers with global attention.
 *
 * @see Lin et al. 2023, SAMUS, section 3; xianlin7/SAMUS, `models/segment_anything_samus/modeling/image_encoder.py`
 */
export class SamusImageEncoder extends TensorLayer {
  readonly config: SamusVisionConfig;
  private readonly cnnEmbed: CnnBranch;
  private readonly patchEmbed: OverlappingPatches;
  private readonly posEmbed: Parameter;
  private readonly postPosEmbed: PositionReduction;
  private readonly layers: (VitLayer | GlobalLayer)[];
  private readonly neck: Neck;
  private readonly inputAdapter: FeatureAdapter;

  constructor(config: SamusVisionConfig) {
    super();
    const { hiddenSize, numHiddenLayers, posEmbedSize, windowSize, globalAttnIndexes } = config;
    const isGlobal = (i: number) => windowSize === 0 || globalAttnIndexes.includes(i);
    this.config = config;
    this.cnnEmbed = this.child('cnn_embed', new CnnBranch(config));
    this.patchEmbed = this.child('patch_embed', new OverlappingPatches(config));
    this.posEmbed = this.parameter('pos_embed', [1, posEmbedSize, posEmbedSize, hiddenSize], { init: zeros });
    this.postPosEmbed = this.child('post_pos_embed', new PositionReduction(config, mapSizeOf(config)));
    this.layers = this.childList(
      'layers',
      Array.from({ length: numHiddenLayers }, (_, i) => (isGlobal(i) ? new GlobalLayer(config) : new VitLayer(config, i))),
    );
    this.neck = this.child('neck', new Neck(config));
    this.inputAdapter = this.child('input_Adapter', new FeatureAdapter(config));
  }

  /**
   * @param pixelValues - [B, S, S, 3] f32, grey in [0, 1] in all channels, where S is the configured image size.
   * @returns [B, S / patch, S / patch, output channels].
   * @throws SonogroundError when the images have another size.
   */
  forward(pixelValues: tf.Tensor4D, context: ForwardContext): tf.Tensor4D {
    const { imageSize, numChannels } = this.config;
    assertShape(pixelValues, [null, imageSize, imageSize, numChannels], 'SamusImageEncoder pixelValues');
    return tf.tidy(() => {
      const image = { pixelValues };
      const { cnn } = context.block(this.cnnEmbed, image, (given) => ({ cnn: this.cnnEmbed.forward(given.pixelValues) })); // [B, h, w, C]
      const owners = [this.patchEmbed, this.inputAdapter, this.posEmbed, this.postPosEmbed];
      const { x } = context.block(owners, image, (given) => ({ x: this.embed(given.pixelValues) })); // [B, h, w, C]
      let maps: BranchMaps = { x, cnn };
      for (const layer of this.layers)
        maps = layer instanceof GlobalLayer ? layer.forward(maps, context) : { x: layer.forward(maps.x, context), cnn: maps.cnn };
      const { features } = context.block(this.neck, maps, (given) => {
        const sum = tf.add(given.x, tf.mul(given.cnn, BRANCH_SCALE)) as tf.Tensor4D;
        return { features: this.neck.forward(sum) }; // [B, h, w, output channels]
      });
      return features;
    });
  }

  private embed(pixelValues: tf.Tensor4D): tf.Tensor4D {
    const patches = this.patchEmbed.forward(pixelValues);
    const positions = this.postPosEmbed.forward(this.posEmbed.value as tf.Tensor4D); // [1, h, w, C]
    return tf.add(this.inputAdapter.forward(patches, patches), positions) as tf.Tensor4D;
  }
}

/** Overlapping patches: the image is enlarged by what the last patch of a row reaches beyond it. */
class OverlappingPatches extends TensorLayer {
  private readonly projection: Conv2d;
  private readonly side: number;

  constructor({ numChannels, hiddenSize, patchKernelSize, patchSize, imageSize }: SamusVisionConfig) {
    super();
    this.side = imageSize + patchKernelSize - patchSize;
    const sizes = { kernelSize: patchKernelSize, stride: patchSize };
    this.projection = this.child('projection', new Conv2d(numChannels, hiddenSize, sizes));
  }

  /** [B, S, S, channels] to [B, S / patch, S / patch, C]. */
  forward(pixelValues: tf.Tensor4D): tf.Tensor4D {
    return this.projection.forward(resizeBilinear(pixelValues, [this.side, this.side]));
  }
}
