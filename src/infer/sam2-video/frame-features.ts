import { tf } from '../../backend/index.js';
import type { Clip, RasterImage } from '../../imaging/index.js';
import { DataError, RuntimeError } from '../../util/index.js';
import type { FrameInputs } from './tracker-model.js';

/** How many frames' features are held: the current one, and those that somebody goes back and forth between. */
const CAPACITY = 3;

/** The image features of a clip's frames, computed once for all objects. Owns the tensors that it returns. */
export class FrameFeatures {
  private readonly clip: Clip;
  private readonly encode: (image: RasterImage) => Promise<FrameInputs>;
  /** Least recently used first. */
  private readonly entries = new Map<number, FrameInputs>();
  private disposed = false;

  constructor(clip: Clip, encode: (image: RasterImage) => Promise<FrameInputs>) {
    this.clip = clip;
    this.encode = encode;
  }

  /**
   * Features of a frame; valid until `CAPACITY` others were asked for.
   *
   * @throws DataError when the frame cannot be read, or has another size than the clip; RuntimeError after {@link dispose}.
   */
  async of(frame: number): Promise<FrameInputs> {
    const features = this.entries.get(frame) ?? (await this.encode(await this.read(frame)));
    if (this.disposed) {
      release(features);
      throw this.closed(frame);
    }
    this.entries.delete(frame);
    this.entries.set(frame, features);
    for (const [oldest, unused] of this.entries) {
      if (this.entries.size <= CAPACITY) break;
      release(unused);
      this.entries.delete(oldest);
    }
    return features;
  }

  private async read(frame: number): Promise<RasterImage> {
    const { name, width, height } = this.clip;
    const image = await this.clip.frame(frame);
    if (this.disposed) throw this.closed(frame);
    if (image.width === width && image.height === height && image.data.length === width * height * 3) return image;
    throw new DataError({
      code: 'E_SHAPE',
      where: `${name}, frame ${frame}`,
      what: `expected ${width}x${height} pixels of three bytes, as the clip has, got ${image.width}x${image.height} with ${image.data.length} bytes`,
      fix: 'Give frames of one size',
    });
  }

  private closed(frame: number): RuntimeError {
    return new RuntimeError({
      code: 'E_NOT_READY',
      where: this.clip.name,
      what: `it was closed while frame ${frame} was read`,
      fix: 'Open the clip again',
    });
  }

  dispose(): void {
    this.disposed = true;
    for (const features of this.entries.values()) release(features);
    this.entries.clear();
  }
}

function release(features: FrameInputs): void {
  tf.dispose({ ...features });
}
