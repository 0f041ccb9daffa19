import { tf } from '../../backend/index.js';
import { type BinaryMask, type BoxXyxy, boxOfMask, type GreyMap, type RasterImage, type Size } from '../../imaging/index.js';
import { patchesAcross } from '../../models/biomed-clip/index.js';
import { resizeBilinear } from '../../ops/index.js';
import type { BiomedClipParts } from '../../pretrained/index.js';
import { centreCrop } from '../../processing/index.js';
import { Rng, UsageError } from '../../util/index.js';
import { ClipDetector, checkNumbers, withinLastPixel } from './clip-detector.js';
import { brighterCluster, largestComponents, levelsOf, resizeByCorner } from './coarse-mask.js';
import { type BottleneckOptions, informationOfPatches } from './information-bottleneck.js';

/** Settings of {@link SaliencyDetector}. */
export interface SaliencyOptions extends Partial<BottleneckOptions> {
  /** Seed of the noise; every image and sentence gets the same. Default: 0. */
  readonly seed?: number | undefined;
  /**
   * Stretch the map of the centre crop over the whole image, as the authors' script does, although the crop is all of a square
   * image alone. Default: false, the map stays where the crop is, and nothing is found outside.
   */
  readonly asPublished?: boolean | undefined;
}

/** The authors' settings for ultrasound of the breast, the only ones that they publish for ultrasound. */
const DEFAULTS: BottleneckOptions = { layer: 9, beta: 1, steps: 10, copies: 10 };

/** Side of the grid on which the authors cluster. */
const CLUSTER_SIDE = 256;

/**
 * Finds what a sentence describes by its salience in an image: the largest connected part of the more salient half of two clusters.
 *
 * @see Koleilat et al. 2024, MedCLIP-SAMv2
 */
export class SaliencyDetector extends ClipDetector {
  private readonly options: BottleneckOptions;
  private readonly seed: number;
  private readonly asPublished: boolean;

  /**
   * Takes over the model, and freezes it.
   *
   * @throws UsageError for a layer that is none of the model's but the last, or numbers that are not positive integers.
   */
  constructor(parts: BiomedClipParts, { seed = 0, asPublished = false, ...given }: SaliencyOptions = {}) {
    const { numHiddenLayers } = parts.config.vision;
    const options = { ...DEFAULTS, layer: Math.min(DEFAULTS.layer, numHiddenLayers - 2), ...given };
    checkOptions(options, numHiddenLayers);
    super(parts);
    this.options = options;
    this.seed = seed;
    this.asPublished = asPublished;
  }

  async coarseMask(image: RasterImage, sentence: string): Promise<BinaryMask> {
    const levels = await this.saliency(image, sentence);
    if (levels === undefined)
      return { width: image.width, height: image.height, data: new Uint8Array(image.width * image.height) };
    return largestComponents(this.asPublished ? stretchedCluster(levels, image) : placedCluster(levels, image));
  }

  protected override boxOf(mask: BinaryMask, image: Size): BoxXyxy | undefined {
    const box = boxOfMask(mask);
    return box !== undefined && this.asPublished ? withinLastPixel(box, image) : box;
  }

  /** Salience of the centre crop, on the model's grid; undefined if all patches are alike. */
  private async saliency(image: RasterImage, sentence: string): Promise<GreyMap | undefined> {
    const { side } = this;
    const map = tf.tidy(() => {
      const patches = informationOfPatches(this.model, this.compare(image, sentence), this.options, this.noise());
      const across = patchesAcross(this.model.config.vision);
      return resizeBilinear(tf.reshape(patches, [1, across, across, 1]), [side, side]);
    });
    const values = await map.data<'float32'>();
    map.dispose();
    checkNumbers(values);
    return levelsOf(values, { width: side, height: side });
  }

  /** The noise of each step, drawn in order. */
  private noise(): () => tf.Tensor3D {
    const { vision } = this.model.config;
    const shape: [number, number, number] = [this.options.copies, 1 + patchesAcross(vision) ** 2, vision.hiddenSize];
    const rng = Rng.seeded(this.seed);
    const count = shape[0] * shape[1] * shape[2];
    return () =>
      tf.tensor3d(
        Float32Array.from({ length: count }, () => rng.normal()),
        shape,
      );
  }
}

/** The brighter cluster of a crop's map, in the crop's place in the image. */
function placedCluster(levels: GreyMap, { width, height }: RasterImage): BinaryMask {
  const { width: side, data: inside } = brighterCluster(levels);
  const { resized, left, top } = centreCrop({ width, height }, side);
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(((y + 0.5) * resized.height) / height) - top;
    if (row < 0 || row >= side) continue;
    for (let x = 0; x < width; x++) {
      const column = Math.floor(((x + 0.5) * resized.width) / width) - left;
      if (column >= 0 && column < side) data[y * width + x] = inside[row * side + column] as number;
    }
  }
  return { width, height, data };
}

/** The brighter cluster of a crop's map stretched over the image, by the authors' chain of nearest neighbours. */
function stretchedCluster(levels: GreyMap, image: RasterImage): BinaryMask {
  const square = { width: CLUSTER_SIDE, height: CLUSTER_SIDE };
  return resizeByCorner(brighterCluster(resizeByCorner(resizeByCorner(levels, image), square)), image);
}

function checkOptions({ layer, beta, steps, copies }: BottleneckOptions, blocks: number): void {
  const wrong = (what: string) => {
    throw new UsageError({ code: 'E_OPTION_VALUE', where: 'SaliencyDetector', what });
  };
  if (!Number.isInteger(layer) || layer < 0 || layer > blocks - 2)
    wrong(`expected a layer from 0 to ${blocks - 2}, got ${layer}`);
  for (const [name, value] of Object.entries({ steps, copies }))
    if (!Number.isInteger(value) || value < 1) wrong(`expected a positive integer for ${name}, got ${value}`);
  if (!(beta >= 0)) wrong(`expected a beta from 0 on, got ${beta}`);
}
