import type { Sample, SampleObject } from '../data/index.js';
import {
  bestBoxIou,
  dscGivenTrueBoxes,
  GroundedSegmenter,
  GroundingDinoPredictor,
  type GroundingDinoPredictorOptions,
  loadMasker,
  maskerOf,
  phraseOverlap,
  Sam2ImagePredictor,
  type Sam2ImagePredictorOptions,
} from '../infer/index.js';
import { ConfigError } from '../util/index.js';
import type { RunConfig } from './config.js';
import { scoreAsked } from './monitor.js';

/** Judges a model that is being trained by its answers, as it will be used, rather than by its losses. */
export interface AnswerScores {
  /** Scores by name, once for each phrase that the image shows. Fractions in [0, 1]. */
  of(sample: Sample): Promise<readonly Readonly<Record<string, number>>[]>;
  /** Lets go of what was kept of the weights as they were. */
  forget(): void;
  /** Frees all but the model that is trained. */
  dispose(): void;
}

/**
 * What `train.monitor` asks of a detector: `boxIou` of the best box of each phrase, and for `dsc` the masks that the run's masker
 * makes of its boxes. Thresholds are those of `eval`. Absent where it asks for a loss.
 */
export async function detectorScores(config: RunConfig, parts: GroundingDinoPredictorOptions): Promise<AnswerScores | undefined> {
  const asked = scoreAsked(config.train.monitor);
  if (asked === undefined) return undefined;
  const select = { boxThreshold: config.eval.boxThreshold, perPhrase: config.eval.select };
  const detector = new GroundingDinoPredictor(parts);
  const forget = () => detector.forget();
  if (asked === 'boxIou') {
    const of = async ({ image, phrases, objects }: Sample) => {
      const found = await detector.detect(image, phrases, select);
      return shown(objects).map(([phrase, truth]) => ({ boxIou: bestBoxIou(found.filter(about(phrase)), truth) }));
    };
    return { of, forget, dispose: forget };
  }
  const masker = maskerOf(await loadMasker(config.model.masker, { adapter: config.model.maskerAdapter }));
  const segmenter = new GroundedSegmenter(detector, masker);
  return {
    of: async ({ image, phrases, objects }) => {
      const found = await segmenter.segment(image, phrases, select);
      return shown(objects).map(([phrase, truth]) => {
        const { dsc, boxIou } = phraseOverlap(found.filter(about(phrase)), truth);
        return { dsc, boxIou };
      });
    },
    forget,
    dispose: () => {
      forget();
      masker.dispose();
    },
  };
}

/**
 * The same of a masker: `dsc` of what it makes of the true boxes.
 *
 * @throws ConfigError when another score is asked for.
 */
export function maskerScores(config: RunConfig, parts: Sam2ImagePredictorOptions): AnswerScores | undefined {
  const asked = scoreAsked(config.train.monitor);
  if (asked === undefined) return undefined;
  if (asked !== 'dsc') {
    const what = `a masker is given its boxes: there is no ${config.train.monitor}`;
    throw new ConfigError({ where: 'train.monitor', what, fix: 'Choose val.dsc, val.loss or a part of the loss' });
  }
  const masker = new Sam2ImagePredictor(parts);
  const forget = () => masker.forget();
  const of = async ({ image, objects }: Sample) => {
    const scores: { dsc: number }[] = [];
    for (const [, truth] of shown(objects)) scores.push({ dsc: await dscGivenTrueBoxes(masker, image, truth) });
    return scores;
  };
  return { of, forget, dispose: forget };
}

function shown(objects: readonly SampleObject[]): [phrase: string, truth: SampleObject[]][] {
  return [...new Set(objects.map(({ phrase }) => phrase))].map((phrase) => [phrase, objects.filter(about(phrase))]);
}

function about(phrase: string): (thing: { readonly phrase: string }) => boolean {
  return (thing) => thing.phrase === phrase;
}
