import type { Clip, MaskLogits } from '../../imaging/index.js';
import type { ImageProcessor } from '../../processing/index.js';
import { RuntimeError } from '../../util/index.js';
import type { ClipTracker, ClipTracking } from '../clip-tracker.js';
import { trackerDefaults } from '../sam2-video/settings.js';
import { VideoTracker } from '../sam2-video/video-tracker.js';
import { type SquareImage, stretchedImage } from '../square-image.js';
import { ExportedMemory } from './exported-memory.js';
import type { ManifestMemory, ManifestPart } from './manifest.js';
import type { Runner } from './signatures.js';

/** Follows objects through clips by the exported graphs of a masker with a memory. The runner, which the masker has too, stays its owner's. */
export class ExportedTracking implements ClipTracking {
  private readonly model: ExportedMemory;
  private readonly square: SquareImage;
  private disposed = false;

  constructor(runner: Runner, imageProcessor: ImageProcessor, part: ManifestPart, memory: ManifestMemory) {
    this.square = stretchedImage(imageProcessor);
    this.model = new ExportedMemory({ runner, part, memory, square: this.square });
  }

  /** @throws RuntimeError after {@link dispose}. */
  async track(clip: Clip): Promise<ClipTracker> {
    if (this.disposed)
      throw new RuntimeError({
        code: 'E_NOT_READY',
        where: 'ExportedTracking.track',
        what: 'it was disposed',
        fix: 'Load it again',
      });
    const { model, square } = this;
    const placed = { width: model.imageSize, height: model.imageSize };
    const toClip = (logits: MaskLogits) => square.toImage(logits, placed, clip);
    return new VideoTracker({ model, clip, toClip, ...trackerDefaults });
  }

  /** Frees what it keeps between frames, but not the graphs. Trackers that are open must be disposed before. Idempotent. */
  dispose(): void {
    this.disposed = true;
    this.model.dispose();
  }
}
