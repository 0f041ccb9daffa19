import type { PixelSizes } from '../../measure/index.js';
import type { Logger } from '../../util/index.js';
import type { EvidenceSettings } from '../evidence/evidence-settings.js';
import type { GroundedSegmenter, LoadOptionsOrBoxes } from '../grounded-segmenter.js';
import type { Masker } from '../masker.js';
import type { UniverSegPredictor } from '../universeg/index.js';
import type { BatchImage } from './batch-image.js';
import type { ResultsForm } from './results-form.js';
import type { BatchSettings, ExemplarSettings } from './settings.js';
import type { Shard } from './shard.js';

/** Options of a batch. */
export interface BatchOptions {
  readonly images: readonly BatchImage[];
  readonly settings: BatchSettings | ExemplarSettings;
  /** Output folder, for `results.json`, `images.json`, `overlays/` and `masks/`. */
  readonly out: string;
  /** Default: `files`. Images that were done with the same settings for one form are not segmented again for `parquet`. */
  readonly results?: ResultsForm;
  /**
   * Loads the models that the settings name; only called when there is an image to segment. Default: {@link GroundedSegmenter.load}.
   */
  readonly load?: (models: LoadOptionsOrBoxes) => Promise<GroundedSegmenter<Masker | undefined>>;
  /** Loads the UniverSeg that the settings name and sets its support; for {@link ExemplarSettings}, which need it. */
  readonly loadExemplars?: (settings: ExemplarSettings) => Promise<UniverSegPredictor>;
  /** Also write segmentations and reports in DICOM, of images that are DICOM. Default: none. */
  readonly evidence?: EvidenceSettings | undefined;
  /** Two of the images, the longitudinal and the transverse plane of the same structures: their volumes are computed. Default: none. */
  readonly planes?: readonly [longitudinal: BatchImage, transverse: BatchImage] | undefined;
  /** Sizes of pixels that the files do not state, for measures in millimetres. */
  readonly pixelSizes?: PixelSizes | undefined;
  /** Which part of a longer list the images are; recorded so that the parts can be merged. */
  readonly shard?: Shard | undefined;
  /** Hash of that list, by which a merge recognises parts of different lists; see `listHash`. */
  readonly listHash?: string | undefined;
  /** Segment finished images again. Default: false. */
  readonly overwrite?: boolean;
  /** Whether to skip or stop at an image that cannot be read, or whose files cannot be written. Default: `skip`. */
  readonly onBad?: 'stop' | 'skip';
  /** Stops after the current image. */
  readonly signal?: AbortSignal;
  /** Called after each image. */
  readonly onProgress?: (done: number, total: number, image: BatchImage) => void;
  readonly logger?: Logger;
}
