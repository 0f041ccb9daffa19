import { tf } from '../../backend/index.js';
import {
  type BinaryMask,
  type BoxXyxy,
  boxOfMask,
  connectedComponents,
  findContours,
  type RasterImage,
  type Size,
} from '../../imaging/index.js';
import { patchesAcross } from '../../models/biomed-clip/index.js';
import { resizeBilinear } from '../../ops/index.js';
import type { BiomedClipParts } from '../../pretrained/index.js';
import { centreCrop } from '../../processing/index.js';
import { UsageError } from '../../util/index.js';
import { ClipDetector, checkNumbers, withinLastPixel } from './clip-detector.js';
import { largestComponents } from './coarse-mask.js';
import { refineByCrf } from './dense-crf.js';
import { greyOfJetOverlay } from './jet-overlay.js';
import { type CamOptions, normalised, scoreCam } from './score-cam.js';

/** Settings of {@link CamDetector}. */
export interface CamDetectorOptions extends Partial<CamOptions> {
  /**
   * As the authors' scripts do it: gradients where there are none, the grey levels of a JET overlay taken for salience, and the map of
   * the centre crop stretched over the whole image. Default: false.
   */
  readonly asPublished?: boolean | undefined;
}

/** The authors' number of channels. */
const CHANNELS = 300;

/** Passes at a time: fewer are slower, and the images of more take memory. */
const BATCH = 10;

/**
 * Finds what a sentence describes by gScoreCAM, whose map a conditional random field fits to the edges of the image: the largest
 * connected part.
 *
 * The authors read activations and gradients at the last block's second norm. What follows it reads of the class token alone, so that
 * the gradients of patches are zero, and the channels that are kept are a matter of how a sort treats ties. Default here: the first
 * norm, before the last attention, the last place where patches have gradients.
 *
 * @see Koleilat et al. 2024, MedCLIP-SAM
 */
export class CamDetector extends ClipDetector {
  private readonly options: CamOptions;
  private readonly asPublished: boolean;

  /**
   * Takes over the model, and freezes it.
   *
   * @throws UsageError for numbers that are not positive integers.
   */
  constructor(parts: BiomedClipParts, { asPublished = false, ...given }: CamDetectorOptions = {}) {
    const options = { norm: asPublished ? 'norm2' : 'norm1', channels: CHANNELS, batch: BATCH, ...given } as const;
    for (const name of ['channels', 'batch'] as const) {
      const value = options[name];
      if (Number.isInteger(value) && value >= 1) continue;
      const what = `expected a positive integer for ${name}, got ${value}`;
      throw new UsageError({ code: 'E_OPTION_VALUE', where: 'CamDetector', what });
    }
    super(parts);
    this.options = options;
    this.asPublished = asPublished;
  }

  async coarseMask(image: RasterImage, sentence: string): Promise<BinaryMask> {
    const compared = this.compare(image, sentence);
    try {
      const patches = await scoreCam(this.model, compared, this.options);
      checkNumbers(patches);
      if (this.asPublished) {
        const stretched = normalised(await this.resized(patches, image));
        return largestOutline(refineByCrf(image, greyOfJetOverlay(image, stretched)));
      }
      if (patches.every((value) => value === 0)) return empty(image);
      return largestComponents(refineByCrf(image, await this.placed(patches, image)));
    } finally {
      tf.dispose([compared.pixelValues, compared.textFeatures]);
    }
  }

  /** The published script gives SAM the whole image where nothing was found. */
  protected override boxOf(mask: BinaryMask, image: Size): BoxXyxy | undefined {
    const box = boxOfMask(mask);
    if (!this.asPublished) return box;
    return box === undefined ? [0, 0, image.width, image.height] : withinLastPixel(box, image);
  }

  /** The map of the centre crop in its place; 0 outside. */
  private async placed(patches: Float32Array, { width, height }: Size): Promise<Float32Array> {
    const { resized, left, top } = centreCrop({ width, height }, this.side);
    const [x0, y0] = [(left * width) / resized.width, (top * height) / resized.height];
    const crop = {
      width: Math.round((this.side * width) / resized.width),
      height: Math.round((this.side * height) / resized.height),
    };
    const inside = await this.resized(patches, crop);
    const whole = new Float32Array(width * height);
    for (let y = 0; y < crop.height; y++)
      for (let x = 0; x < crop.width; x++) {
        const [column, row] = [Math.round(x0) + x, Math.round(y0) + y];
        if (column < width && row < height) whole[row * width + column] = inside[y * crop.width + x] as number;
      }
    return whole;
  }

  private async resized(patches: Float32Array, { width, height }: Size): Promise<Float32Array> {
    const across = patchesAcross(this.model.config.vision);
    const map = tf.tidy(() => resizeBilinear(tf.tensor4d(patches, [1, across, across, 1]), [height, width]));
    const values = await map.data<'float32'>();
    map.dispose();
    return values;
  }
}

function empty({ width, height }: Size): BinaryMask {
  return { width, height, data: new Uint8Array(width * height) };
}

/** The component whose outline encloses most, holes included; the first of several. */
function largestOutline(mask: BinaryMask): BinaryMask {
  const areas = findContours(mask).map(({ outer }) => Math.abs(areaOf(outer)));
  const largest = areas.indexOf(Math.max(...areas));
  return connectedComponents(mask)[largest] ?? empty(mask);
}

/** Twice the signed area inside a ring. */
function areaOf(ring: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < ring.length; i += 2) {
    const [x0, y0, x1, y1] = [ring[i], ring[i + 1], ring[(i + 2) % ring.length], ring[(i + 3) % ring.length]] as number[];
    sum += (x0 as number) * (y1 as number) - (x1 as number) * (y0 as number);
  }
  return sum;
}
