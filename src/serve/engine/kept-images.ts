import type { RasterImage } from '../../imaging/index.js';
import { HttpError } from '../http-error.js';
import type { OpenedImage } from './jobs.js';

/** A picture in memory with what is said of it. */
export interface KeptImage {
  readonly raster: RasterImage;
  readonly opened: OpenedImage;
}

/**
 * The pictures used last, in memory only. Their names cannot be guessed: whoever has not sent a picture cannot ask for it. All
 * together take at most as many pixels as two of the largest may have.
 */
export class KeptImages {
  private readonly most: number;
  private readonly pixels: number;
  private readonly kept = new Map<string, KeptImage>();

  constructor({ keptImages, pixels }: { readonly keptImages: number; readonly pixels: number }) {
    this.most = Math.max(1, keptImages);
    this.pixels = 2 * pixels;
  }

  add(raster: RasterImage, pictures: OpenedImage['pictures']): KeptImage {
    const { width, height, spacingMm } = raster;
    const opened = { id: randomName(), width, height, spacing_mm: spacingMm ?? null, pictures };
    const image = { raster, opened };
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

  /** @throws HttpError 404 when it is forgotten or never was. */
  get(id: string): KeptImage {
    const image = this.kept.get(id);
    if (image === undefined)
      throw new HttpError({
        code: 'E_HTTP_IMAGE_GONE',
        status: 404,
        where: 'image_id',
        what: 'this picture is not kept in memory, or not any more',
        fix: 'Send the image again',
      });
    // The one used last is the last to go.
    this.kept.delete(id);
    this.kept.set(id, image);
    return image;
  }
}

/** 128 random bits, from what browsers have too. */
function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
