import { ensureBackend, type Precision } from '../backend/index.js';
import { loadDetector, loadMasker, shippedModels } from '../pretrained/index.js';
import { UsageError } from '../util/index.js';
import { createMasker } from './create-masker.js';
import { GroundingDinoPredictor } from './detector.js';
import { isExported, loadExported } from './exported/index.js';
import type { Masker } from './masker.js';
import { checkPrecision, convertTo } from './precision.js';
import { Segmenter } from './segmenter.js';

/** The models of a segmenter. */
export interface LoadOptions {
  /**
   * Folder of a Grounding DINO, the name of a downloaded model, or an exported folder, which includes a masker. Default: the
   * shipped detector.
   */
  readonly detector?: string;
  /**
   * Folder of a masker, or the name of a downloaded one; its `model_type` determines the class. Default: the masker of an
   * exported folder, else the shipped SAM 2.
   */
  readonly masker?: string | undefined;
  /** Folder of a LoRA adapter for the detector. */
  readonly adapter?: string | undefined;
  /** Scales the adapters' updates. Default: 1; 0 disables the adapters. */
  readonly adapterScale?: number | undefined;
  /** Folder of a LoRA adapter for the masker. */
  readonly maskerAdapter?: string | undefined;
  /**
   * Of weights and products; sums, softmax and norms stay float32. `bfloat16` halves the memory of the weights, is faster for large
   * models on processors that have it, and changes scores by about a hundredth: `docs/precision.md`. Needs the native operations
   * of the TensorFlow backend on a processor. Default: `float32`.
   */
  readonly precision?: Precision | undefined;
}

/** {@link LoadOptions} with `null` for no masker. */
export interface LoadOptionsOrBoxes extends Omit<LoadOptions, 'masker'> {
  readonly masker?: string | null | undefined;
}

/**
 * Segments the structures that a text prompt names in an image. Owns its detector and its masker.
 *
 * Either can be replaced: pass implementations of `Detector` and `Masker` from `sonoground/models` to the constructor. Without
 * a masker, only boxes are returned.
 *
 * @example
 * import { decodeImage, GroundedSegmenter, maskToRle } from 'sonoground';
 *
 * const segmenter = await GroundedSegmenter.load(); // or load('exported'), or load({ detector, adapter, masker })
 * const image = await decodeImage('scan.png');
 * for (const { phrase, score, boxXyxyPx, mask } of await segmenter.segment(image, 'benign lesion. cyst.'))
 *   console.log(phrase, score, boxXyxyPx, maskToRle(mask));
 * segmenter.dispose();
 * @see GroundingDINO-US-SAM, arXiv 2506.23903
 */
export class GroundedSegmenter<M extends Masker | undefined = Masker> extends Segmenter<M> {
  /**
   * Loads both models, from their folders or from one folder written by `export`. Shipped models are found from any working
   * directory. Initialises the fastest available backend, unless {@link initBackend} was called before.
   *
   * @param models - an exported folder, or options; `masker: null` loads only the detector.
   * @throws CheckpointError naming the file that is missing or does not fit; UsageError for an adapter combined with an export, or
   *   a precision that it cannot run in; RuntimeError for one that the backend cannot run in.
   */
  static load(models?: string | LoadOptions): Promise<GroundedSegmenter>;
  static load(models: string | LoadOptionsOrBoxes): Promise<GroundedSegmenter<Masker | undefined>>;
  static async load(models: string | LoadOptionsOrBoxes = {}): Promise<GroundedSegmenter<Masker | undefined>> {
    await ensureBackend();
    const given = typeof models === 'string' ? { detector: models } : models;
    const { detector = shippedModels.detector, masker, adapter, adapterScale, maskerAdapter, precision } = given;
    checkPrecision(precision);
    if (await isExported(detector)) {
      refuseAdapters(detector, given);
      const exported = await loadExported(detector, { masker, precision });
      return new GroundedSegmenter<Masker | undefined>(exported.detector, exported.masker);
    }
    const found = await loadDetector(detector, { adapter, adapterScale });
    convertTo(precision, found.model);
    const finder = new GroundingDinoPredictor(found);
    if (masker === null) return new GroundedSegmenter<Masker | undefined>(finder, undefined);
    try {
      const parts = await loadMasker(masker ?? shippedModels.masker, { adapter: maskerAdapter, adapterScale });
      convertTo(precision, parts.model);
      return new GroundedSegmenter(finder, createMasker(parts));
    } catch (error) {
      finder.dispose();
      throw error;
    }
  }
}

/** @throws UsageError when an export is to have adapters. */
export function refuseAdapters(
  dir: string,
  { adapter, maskerAdapter }: Pick<LoadOptionsOrBoxes, 'adapter' | 'maskerAdapter'>,
): void {
  if (adapter === undefined && maskerAdapter === undefined) return;
  throw new UsageError({
    code: 'E_OPTION_CONFLICT',
    where: adapter ?? maskerAdapter ?? '',
    what: `${dir} is exported: it has its adapters`,
    fix: 'Leave the adapter out',
  });
}
