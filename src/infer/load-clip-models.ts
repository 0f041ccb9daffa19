import { hasMemory, loadSam2VideoParts, shippedModels } from '../pretrained/index.js';
import type { ClipTracking } from './clip-tracker.js';
import { isExported } from './exported/index.js';
import { GroundedSegmenter, type LoadOptionsOrBoxes } from './grounded-segmenter.js';
import type { Masker } from './masker.js';
import { Sam2ImagePredictor } from './sam2-predictor.js';
import { loadSam2VideoPredictor, Sam2VideoPredictor } from './sam2-video-predictor.js';
import { Segmenter } from './segmenter.js';

/** Models for images and for clips. The caller frees both, the tracking first. */
export interface ClipModels {
  readonly segmenter: Segmenter<Masker | undefined>;
  /** Undefined where the masker has no memory of other frames. */
  readonly tracking: (ClipTracking & { dispose(): void }) | undefined;
}

/** The masker of some settings, if it has a memory that follows objects through clips. An exported model has none. */
export async function maskerWithMemory({
  masker,
  detector = shippedModels.detector,
}: Pick<LoadOptionsOrBoxes, 'masker' | 'detector'>): Promise<string | undefined> {
  if (masker === null || (masker === undefined && (await isExported(detector)))) return undefined;
  const named = masker ?? shippedModels.masker;
  return (await hasMemory(named)) ? named : undefined;
}

/**
 * Loads a segmenter, and where its masker has a memory, a tracker that shares its weights. A tracker computes in float32: beside a
 * segmenter of another precision it has weights of its own.
 *
 * @throws CheckpointError naming the file that is missing or does not fit; UsageError as `GroundedSegmenter.load`.
 */
export async function loadClipModels(models: LoadOptionsOrBoxes): Promise<ClipModels> {
  const memory = await maskerWithMemory(models);
  if (memory === undefined) return { segmenter: await GroundedSegmenter.load(models), tracking: undefined };
  const { maskerAdapter: adapter, adapterScale, precision } = models;
  const exactly = precision === undefined || precision === 'float32';
  const { maskerAdapter: _, ...alone } = models;
  const segmenter = await GroundedSegmenter.load(exactly ? { ...alone, masker: null } : models);
  try {
    if (!exactly) return { segmenter, tracking: await loadSam2VideoPredictor(memory, { adapter, adapterScale }) };
    const parts = await loadSam2VideoParts(memory, { adapter, adapterScale });
    const shared = new Segmenter(segmenter.detector, new Sam2ImagePredictor(parts));
    return { segmenter: shared, tracking: new Sam2VideoPredictor(parts) };
  } catch (error) {
    segmenter.dispose();
    throw error;
  }
}
