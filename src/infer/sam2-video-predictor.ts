import { ensureBackend } from '../backend/index.js';
import type { Clip, MaskLogits } from '../imaging/index.js';
import type { Sam2Video } from '../models/sam2/index.js';
import { InferencePasses } from '../nn/index.js';
import { type AdaptedOptions, loadSam2VideoParts } from '../pretrained/index.js';
import type { ImageProcessor } from '../processing/index.js';
import { RuntimeError, UsageError } from '../util/index.js';
import type { ClipTracker, ClipTracking } from './clip-tracker.js';
import { ProcessModel } from './sam2-video/process-model.js';
import { type TrackerSettings, trackerDefaults } from './sam2-video/settings.js';
import { VideoTracker } from './sam2-video/video-tracker.js';
import { stretchedImage } from './square-image.js';

/** Parts and settings of a predictor. */
export interface Sam2VideoPredictorOptions {
  readonly model: Sam2Video;
  readonly imageProcessor: ImageProcessor;
  /**
   * Most marked frames that a frame is compared with, the closest ones, unless the model's configuration says otherwise. Default: 8.
   * Each costs as much as one of the six frames before.
   */
  readonly mostPromptedFrames?: number | undefined;
  /** Largest hole in an answer's mask that is filled, in pixels of the model's masks, of which the decoder gives 256x256. Default: 0. */
  readonly holes?: number | undefined;
  /** Whether masks of several objects may overlap; otherwise each pixel goes to the surest. What is remembered stays. Default: true. */
  readonly overlap?: boolean | undefined;
}

/**
 * Follows objects through clips with SAM 2. Frames are stretched to the model's square, masks are stretched back. Owns its model.
 *
 * @example
 * import { openClip } from 'sonoground/imaging';
 * import { loadSam2VideoPredictor } from 'sonoground/models';
 *
 * const clip = await openClip('loop.webp');
 * const predictor = await loadSam2VideoPredictor('sam2.1-hiera-tiny');
 * const tracker = await predictor.track(clip);
 * await tracker.prompt({ frame: 0, object: 1, box: [40, 30, 120, 90] });
 * for await (const { frame, objects } of tracker.propagate()) console.log(frame, objects[0]?.objectScore);
 * tracker.dispose();
 * predictor.dispose();
 */
export class Sam2VideoPredictor implements ClipTracking, Disposable {
  private readonly model: Sam2Video;
  private readonly imageProcessor: ImageProcessor;
  private readonly settings: TrackerSettings;
  private readonly passes: InferencePasses;
  private disposed = false;

  constructor(options: Sam2VideoPredictorOptions) {
    const { model, imageProcessor } = options;
    const {
      mostPromptedFrames = trackerDefaults.mostPromptedFrames,
      holes = trackerDefaults.holes,
      overlap = trackerDefaults.overlap,
    } = options;
    for (const [where, value, least] of [
      ['mostPromptedFrames', mostPromptedFrames, 1],
      ['holes', holes, 0],
    ] as const) {
      if (Number.isInteger(value) && value >= least) continue;
      throw new UsageError({ code: 'E_OPTION_VALUE', where, what: `expected an integer, ${least} or more, got ${value}` });
    }
    this.model = model;
    this.imageProcessor = imageProcessor;
    this.settings = { mostPromptedFrames, holes, overlap };
    this.passes = new InferencePasses(model);
  }

  /**
   * Opens a clip. Several may be open at a time.
   *
   * @throws RuntimeError after {@link dispose}.
   */
  async track(clip: Clip): Promise<ClipTracker> {
    if (this.disposed)
      throw new RuntimeError({
        code: 'E_NOT_READY',
        where: 'Sam2VideoPredictor.track',
        what: 'it was disposed',
        fix: 'Load it again',
      });
    const square = stretchedImage(this.imageProcessor);
    const model = new ProcessModel(this.model, this.passes, square);
    const side = model.imageSize;
    const toClip = (logits: MaskLogits) => square.toImage(logits, { width: side, height: side }, clip);
    return new VideoTracker({ model, clip, toClip, ...this.settings });
  }

  /** Frees the model. Trackers that are open must be disposed before. Idempotent. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.passes.dispose();
    this.model.dispose();
  }

  /** Same as {@link dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/**
 * Loads a SAM 2 with its memory, to follow objects through clips. Initialises the fastest available backend unless one was initialised
 * before.
 *
 * @param model - a Hugging Face model directory of type `sam2_video`, Meta's `.pt` file, or the name of a downloaded model.
 * @throws CheckpointError naming the file that is missing or does not fit, as that of an image model without memory.
 */
export async function loadSam2VideoPredictor(
  model: string,
  options: AdaptedOptions & Omit<Sam2VideoPredictorOptions, 'model' | 'imageProcessor'> = {},
): Promise<Sam2VideoPredictor> {
  await ensureBackend();
  const { mostPromptedFrames, holes, overlap, ...adapted } = options;
  return new Sam2VideoPredictor({ ...(await loadSam2VideoParts(model, adapted)), mostPromptedFrames, holes, overlap });
}
