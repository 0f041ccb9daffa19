import type { RasterImage } from '../../imaging/index.js';
import { resolveModel } from '../../pretrained/index.js';
import { modelFolder } from '../../weights/index.js';
import { type PresenceCalibration, presenceVerdict, readCalibration } from '../calibration.js';
import type { Detector } from '../detector.js';
import type { BatchSettings } from './settings.js';

/** Whether an image shows a structure, as written to `verdicts.json`. */
export interface Verdict {
  /** The image's `id` in `images.json`. */
  readonly image_id: number;
  /** The image's place below the folder that was asked for. */
  readonly file_name: string;
  readonly phrase: string;
  readonly present: boolean;
  /** The detector's best score for the phrase, over all boxes. */
  readonly score: number;
  readonly threshold: number;
  /** Whether the threshold was calibrated for this phrase, rather than for all phrases together. */
  readonly own_threshold: boolean;
  /** Expected false-positive rate: the share of images without the structure that are called positive. */
  readonly false_positive_rate: number;
}

/** The same before the images are numbered. */
export type VerdictOnImage = Omit<Verdict, 'image_id'>;

/** The calibration that `npm run eval -- --calibrate` wrote beside the adapter, or beside the model if there is no adapter. */
export async function calibrationOf({ adapter, detector }: BatchSettings): Promise<PresenceCalibration | undefined> {
  return readCalibration(adapter ?? (await modelFolder(await resolveModel(detector))));
}

/** Decides for each phrase whether an image shows it. The image stays encoded, so the backbone does not run again. */
export async function verdictsOf(
  detector: Detector,
  image: RasterImage,
  prompts: readonly (readonly string[])[],
  { fileName, calibration }: { readonly fileName: string; readonly calibration: PresenceCalibration },
): Promise<VerdictOnImage[]> {
  const verdicts: VerdictOnImage[] = [];
  for (const phrases of prompts) {
    const best = await detector.detect(image, phrases, { threshold: 0, select: 'best-per-phrase' });
    for (const phrase of phrases) {
      const score = best.find((detection) => detection.phrase === phrase)?.score ?? 0;
      const { present, threshold, ownThreshold, falsePositiveRate } = presenceVerdict(calibration, phrase, score);
      verdicts.push({
        file_name: fileName,
        phrase,
        present,
        score,
        threshold,
        own_threshold: ownThreshold,
        false_positive_rate: falsePositiveRate,
      });
    }
  }
  return verdicts;
}
