import { join } from 'node:path';
import { ensureBackend } from '../backend/index.js';
import { hasMemory, loadSam2VideoParts, shippedModels } from '../pretrained/index.js';
import type { ClipTracking } from './clip-tracker.js';
import { isExported, loadExported, readManifest } from './exported/index.js';
import { GroundedSegmenter, type LoadOptionsOrBoxes, refuseAdapters } from './grounded-segmenter.js';
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

/** A memory among the settings of models. */
interface MemorySource {
  /** Folder or name of the masker. */
  readonly model: string;
  readonly adapter: string | undefined;
  /** Whether it belongs to the export that the detector comes from. */
  readonly exported: boolean;
  /** Whether it is exported as graphs. */
  readonly graphs: boolean;
}

/** The masker of some settings, if it has a memory that follows objects through clips. */
export async function maskerWithMemory(models: Pick<LoadOptionsOrBoxes, 'masker' | 'detector'>): Promise<string | undefined> {
  return (await memoryIn(models))?.model;
}

async function memoryIn({
  masker,
  detector = shippedModels.detector,
  maskerAdapter: adapter,
}: Pick<LoadOptionsOrBoxes, 'masker' | 'detector' | 'maskerAdapter'>): Promise<MemorySource | undefined> {
  if (masker === null) return undefined;
  if (masker === undefined && (await isExported(detector))) return memoryInExport(detector);
  const model = masker ?? shippedModels.masker;
  return (await hasMemory(model)) ? { model, adapter, exported: false, graphs: false } : undefined;
}

async function memoryInExport(dir: string): Promise<MemorySource | undefined> {
  const { form, masker, source } = await readManifest(dir);
  const folder = masker === null ? undefined : join(dir, masker.path);
  if (form === 'savedmodel' || form === 'graph-model')
    return folder === undefined || masker?.memory === undefined
      ? undefined
      : { model: folder, adapter: undefined, exported: true, graphs: true };
  const [model, adapter] = form === 'peft' ? [source.masker, folder] : [folder ?? source.masker, undefined];
  return (await hasMemory(model)) ? { model, adapter, exported: true, graphs: false } : undefined;
}

/**
 * Loads a segmenter, and where its masker has a memory, a tracker that shares its weights or graphs. A tracker of weights computes in
 * float32: beside a segmenter of another precision it has weights of its own.
 *
 * @throws CheckpointError naming the file that is missing or does not fit; UsageError as `GroundedSegmenter.load`.
 */
export async function loadClipModels(models: LoadOptionsOrBoxes): Promise<ClipModels> {
  const memory = await memoryIn(models);
  if (memory === undefined) return { segmenter: await GroundedSegmenter.load(models), tracking: undefined };
  if (memory.graphs) return graphsOf(models);
  const { adapterScale, precision } = models;
  const { model, adapter, exported } = memory;
  const exactly = precision === undefined || precision === 'float32';
  const { maskerAdapter: _, ...alone } = models;
  // An export refuses an adapter.
  const segmenter = await GroundedSegmenter.load(exactly ? { ...(exported ? models : alone), masker: null } : models);
  try {
    if (!exactly) return { segmenter, tracking: await loadSam2VideoPredictor(model, { adapter, adapterScale }) };
    const parts = await loadSam2VideoParts(model, { adapter, adapterScale });
    const shared = new Segmenter(segmenter.detector, new Sam2ImagePredictor(parts));
    return { segmenter: shared, tracking: new Sam2VideoPredictor(parts) };
  } catch (error) {
    segmenter.dispose();
    throw error;
  }
}

async function graphsOf(models: LoadOptionsOrBoxes): Promise<ClipModels> {
  const { detector: dir = shippedModels.detector, precision } = models;
  refuseAdapters(dir, models);
  await ensureBackend();
  const { detector, masker, tracking } = await loadExported(dir, { precision });
  return { segmenter: new Segmenter(detector, masker), tracking };
}
