import { ensureBackend } from '../backend/index.js';
import { loadDetector, loadMasker, shippedModels } from '../pretrained/index.js';
import { UsageError } from '../util/index.js';
import { GroundingDinoPredictor } from './detector.js';
import { isExported, loadExported } from './exported/index.js';
import type { Masker } from './masker.js';
import { createMasker } from './masker-of.js';
import { Segmenter } from './segmenter.js';

/** Which models a segmenter is made of. */
export interface LoadOptions {
  /**
   * Folder of a Grounding DINO, the name of a downloaded one, or an exported folder, which holds a masker too. Default: the
   * shipped one.
   */
  readonly detector?: string;
  /**
   * Folder of a masker, or the name of a downloaded one; its `model_type` says what it is. Default: the one of an exported folder,
   * else the shipped SAM 2.
   */
  readonly masker?: string | undefined;
  /** Folder of a LoRA adapter for the detector. */
  readonly adapter?: string | undefined;
  /** Scales what the adapters change. Default: 1; 0 gives the models without them. */
  readonly adapterScale?: number | undefined;
  /** Folder of a LoRA adapter for the masker. */
  readonly maskerAdapter?: string | undefined;
}

/** {@link LoadOptions} where `null` stands for no masker. */
export interface LoadOptionsOrBoxes extends Omit<LoadOptions, 'masker'> {
  readonly masker?: string | null | undefined;
}

/**
 * An image and a sentence in, a mask for each thing that the sentence names out. It owns its detector and its masker.
 *
 * Either can be another one: pass anything that implements {@link Detector} and {@link Masker} to the constructor. Without a
 * masker only boxes come back.
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
   * Loads both models, from their folders or from one folder that `export` wrote. The shipped ones are found from any working
   * directory. Starts the best backend there is, unless {@link initBackend} was called before.
   *
   * @param models - an exported folder, or options, of which `masker: null` loads the detector alone.
   * @throws CheckpointError naming the file that is missing or does not fit; UsageError for an adapter beside an export.
   */
  static load(models?: string | LoadOptions): Promise<GroundedSegmenter>;
  static load(models: string | LoadOptionsOrBoxes): Promise<GroundedSegmenter<Masker | undefined>>;
  static async load(models: string | LoadOptionsOrBoxes = {}): Promise<GroundedSegmenter<Masker | undefined>> {
    await ensureBackend();
    const given = typeof models === 'string' ? { detector: models } : models;
    const { detector = shippedModels.detector, masker, adapter, adapterScale, maskerAdapter } = given;
    if (await isExported(detector)) {
      if (adapter !== undefined || maskerAdapter !== undefined)
        throw new UsageError({
          where: adapter ?? maskerAdapter ?? '',
          what: `${detector} is exported: it has its adapters`,
          fix: 'Leave the adapter out',
        });
      const exported = await loadExported(detector, { masker });
      return new GroundedSegmenter<Masker | undefined>(exported.detector, exported.masker);
    }
    const finder = new GroundingDinoPredictor(await loadDetector(detector, { adapter, adapterScale }));
    if (masker === null) return new GroundedSegmenter<Masker | undefined>(finder, undefined);
    try {
      const parts = await loadMasker(masker ?? shippedModels.masker, { adapter: maskerAdapter, adapterScale });
      return new GroundedSegmenter(finder, createMasker(parts));
    } catch (error) {
      finder.dispose();
      throw error;
    }
  }
}
