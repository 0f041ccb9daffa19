import { boxOfMask, type RasterImage } from '../../imaging/index.js';
import { mostDetections } from '../../processing/index.js';
import { DataError } from '../../util/index.js';
import { GroundedSegmenter, type LoadOptionsOrBoxes } from '../grounded-segmenter.js';
import type { Masker } from '../masker.js';
import type { BoxSegment, Segment } from '../segmenter.js';
import type { UniverSegPredictor } from '../universeg/index.js';
import { type BatchSettings, type ExemplarSettings, isByExemplars, modelsIn } from './settings.js';
import { type Variants, variantsOf } from './spread.js';
import { calibrationOf, type VerdictOnImage, verdictsOf } from './verdicts.js';

/** Results for one image. */
interface ImageSegments {
  /** Best first. */
  readonly segments: readonly (Segment | BoxSegment)[];
  /** Only of calibrated models. */
  readonly verdicts?: readonly VerdictOnImage[] | undefined;
  /** Only if the settings ask for the spread of measures. */
  readonly variants?: Variants | undefined;
}

/** Segments the images of a batch, one by one. */
interface ImageSegmenter {
  segment(raster: RasterImage, image: { readonly path: string; readonly fileName: string }): Promise<ImageSegments>;
  /** Frees its models. */
  dispose(): void;
}

/** Loaders of models; see `BatchOptions`. */
interface Loaders {
  readonly load?: ((models: LoadOptionsOrBoxes) => Promise<GroundedSegmenter<Masker | undefined>>) | undefined;
  readonly loadExemplars?: ((settings: ExemplarSettings) => Promise<UniverSegPredictor>) | undefined;
}

/** Opens the segmenter that the settings describe. */
export async function openSegmenter(
  settings: BatchSettings | ExemplarSettings,
  prompts: readonly (readonly string[])[],
  { load = (models) => GroundedSegmenter.load(models), loadExemplars }: Loaders,
): Promise<ImageSegmenter> {
  if (!isByExemplars(settings)) return byPrompts(settings, prompts, load);
  if (loadExemplars === undefined) throw new RangeError('runBatch: exemplars need loadExemplars');
  return byExemplars(await loadExemplars(settings), settings);
}

async function byPrompts(
  settings: BatchSettings,
  prompts: readonly (readonly string[])[],
  load: NonNullable<Loaders['load']>,
): Promise<ImageSegmenter> {
  const { select, threshold, nmsThreshold, spread } = settings;
  const options = { select, threshold, nmsThreshold };
  const calibration = await calibrationOf(settings);
  const segmenter = await load(modelsIn(settings));
  return {
    /** Runs each prompt separately; all share the encoded image. */
    async segment(raster, image) {
      const found: (Segment | BoxSegment)[] = [];
      const maskLevels = spread?.levels;
      for (const phrases of prompts) found.push(...(await segmenter.segment(raster, phrases, { ...options, maskLevels })));
      found.sort((a, b) => b.score - a.score);
      const verdicts = calibration && (await verdictsOf(segmenter.detector, raster, prompts, { ...image, calibration }));
      const segment = (image: RasterImage, phrases: readonly string[]) => segmenter.segment(image, phrases, options);
      const variants = spread && (await variantsOf(segment, raster, prompts, spread));
      return { segments: found.slice(0, mostDetections({ select })), verdicts, variants };
    },
    dispose: () => segmenter.dispose(),
  };
}

function byExemplars(predictor: UniverSegPredictor, { prompts: [phrase] }: ExemplarSettings): ImageSegmenter {
  return {
    async segment(raster, { path }) {
      const { mask, score } = await predictor.predict(raster).catch((error: unknown) => {
        if (!(error instanceof DataError)) throw error;
        const { code, what, fix } = error;
        throw new DataError({ code, where: path, what, ...(fix === undefined ? {} : { fix }), cause: error });
      });
      const boxXyxyPx = boxOfMask(mask);
      return { segments: boxXyxyPx === undefined ? [] : [{ phrase, score, boxXyxyPx, mask, maskScore: score }] };
    },
    dispose: () => predictor.dispose(),
  };
}
