import type { RasterImage } from '../../imaging/index.js';
import { HttpError } from '../http-error.js';
import type { OpenedImage } from './jobs.js';
import { randomName } from './random-name.js';

/** A cached image with its description. */
export interface KeptImage {
  readonly raster: RasterImage;
  readonly opened: OpenedImage;
  /** SOP Instance UID; undefined for other formats than DICOM. */
  readonly instance: string | undefined;
}

/**
 * Cache of recently used images, in memory only. Ids are unguessable, so that only the uploader can use an image. The total size
 * is limited to twice the largest allowed image.
 */
export class KeptImages {
  private readonly most: number;
  private readonly pixels: number;
  private readonly kept = new Map<string, KeptImage>();

  constructor({ keptImages, pixels }: { readonly keptImages: number; readonly pixels: number }) {
    this.most = Math.max(1, keptImages);
    this.pixels = 2 * pixels;
  }

  add(raster: RasterImage, frames: OpenedImage['frames'], instance?: string): KeptImage {
    const { width, height, spacingMm } = raster;
    const opened = { id: randomName(), width, height, spacing_mm: spacingMm ?? null, frames };
    const image = { raster, opened, instance };
    this.kept.set(opened.id, image);
    while (this.kept.size > 1 && (this.kept.size > this.most || this.total > this.pixels)) {
      const [oldest] = this.kept.keys();
      this.kept.delete(oldest as string);
    }
    return image;
  }

  private get total(): number {
    return [...this.kept.values()].reduce((sum, { raster: { width, height } }) => sum + width * height, 0);
  }

  /** @throws HttpError 404 when it was evicted or never existed. */
  get(id: string): KeptImage {
    const image = this.kept.get(id);
    if (image === undefined)
      throw new HttpError({
        code: 'E_HTTP_IMAGE_GONE',
        status: 404,
        where: 'image_id',
        what: 'this image is not kept in memory, or no longer',
        fix: 'Send the image again',
      });
    // Reinsertion makes it the most recently used.
    this.kept.delete(id);
    this.kept.set(id, image);
    return image;
  }
}
