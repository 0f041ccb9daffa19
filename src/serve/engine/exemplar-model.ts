import {
  type BinaryMask,
  decodeMask,
  openImages,
  polygonsToMask,
  type RasterImage,
  resizeImage,
  resizeMask,
} from '../../imaging/index.js';
import type { UniverSegPredictor } from '../../infer/index.js';
import { DataError } from '../../util/index.js';
import type { ServeLimits } from '../limits.js';
import { decodeSentMask, maskSizeError } from './decode-sent-mask.js';
import type { ExemplarRunner } from './engine.js';
import type { ExemplarMaskSource, ExemplarSource, ImageSource } from './jobs.js';

/** Segments images by the exemplars of a request. Owns its UniverSeg. */
export class ExemplarModel implements ExemplarRunner {
  readonly name: string;
  private readonly predictor: UniverSegPredictor;
  private readonly limits: ServeLimits;

  constructor(name: string, predictor: UniverSegPredictor, limits: ServeLimits) {
    this.name = name;
    this.predictor = predictor;
    this.limits = limits;
  }

  async segment(
    image: RasterImage,
    exemplars: readonly ExemplarSource[],
    read: (source: ImageSource) => Promise<RasterImage>,
  ): Promise<{ readonly mask: BinaryMask; readonly score: number }> {
    const { side } = this.predictor;
    const seen = { width: side, height: side };
    const [images, masks]: [RasterImage[], BinaryMask[]] = [[], []];
    for (const [i, exemplar] of exemplars.entries()) {
      const own = await read(exemplar.image);
      const mask = await this.maskOf(exemplar.mask, own, `exemplars.${i}`);
      // At the size that the model sees, so that memory does not grow with the exemplars: it resizes them likewise.
      images.push(resizeImage(own, seen));
      masks.push(resizeMask(mask, seen));
    }
    try {
      await this.predictor.setSupport(images, masks);
      return await this.predictor.predict(image);
    } finally {
      this.predictor.forget();
    }
  }

  /** The mask of an exemplar, which has the size of its image and shows something. */
  private async maskOf(source: ExemplarMaskSource, image: RasterImage, where: string): Promise<BinaryMask> {
    const mask = await this.read(source, image, where);
    if (mask.width !== image.width || mask.height !== image.height) throw maskSizeError(where, mask, image);
    if (mask.data.includes(1)) return mask;
    throw new DataError({
      code: 'E_MASK_EMPTY',
      where,
      what: 'its mask shows nothing',
      fix: 'Outline the structure to find, or leave the exemplar out',
    });
  }

  private async read(source: ExemplarMaskSource, image: RasterImage, where: string): Promise<BinaryMask> {
    if ('polygons' in source) return polygonsToMask(source.polygons, image);
    if ('bytes' in source) {
      // Checks the size before the pixels are decoded.
      await (await openImages(source.bytes, this.limits, '')).image('0');
      return decodeMask(Buffer.from(source.bytes));
    }
    return decodeSentMask(source.rle, image, where);
  }

  /** Frees the model. */
  dispose(): void {
    this.predictor.dispose();
  }
}
