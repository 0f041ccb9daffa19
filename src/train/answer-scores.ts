import type { Dataset, Sample } from '../data/index.js';
import type { BinaryMask, BoxXyxy, RasterImage, Size } from '../imaging/index.js';
import {
  createMasker,
  type Detector,
  GroundingDinoPredictor,
  type GroundingDinoPredictorOptions,
  type Masker,
  Sam2ImagePredictor,
  type Sam2ImagePredictorOptions,
} from '../infer/index.js';
import { loadMasker } from '../pretrained/index.js';
import {
  type Counting,
  type Method,
  meansOf,
  type PromptPlan,
  planPrompt,
  strictRows,
  surveyDatasets,
  type TargetRow,
} from '../protocols/index.js';
import { ConfigError } from '../util/index.js';
import type { RunConfig } from './config.js';
import { scoreAsked } from './monitor.js';

/** Evaluates a model in training by its predictions, under the strict protocol, rather than by its losses. */
export interface AnswerScores {
  /** Evaluates the predictions for one image. */
  judge(sample: Sample): Promise<readonly TargetRow[]>;
  /** Aggregates the rows of all images into named scores, as an evaluation does. Fractions in [0, 1]. */
  sumUp(rows: readonly TargetRow[]): Readonly<Record<string, number>>;
  /** Drops everything cached from the current weights. */
  forget(): void;
  /** Frees everything but the model in training. */
  dispose(): void;
}

/**
 * Creates the detector scores that `train.monitor` needs: `boxIou` of the best box of each phrase, and for `dsc` the masks that
 * the run's masker predicts for its boxes. Thresholds are those of `eval`. Undefined if it names a loss.
 *
 * @param val - the validation images, which also determine the prompts.
 */
export async function detectorScores(
  config: RunConfig,
  parts: GroundingDinoPredictorOptions,
  val: Dataset,
): Promise<AnswerScores | undefined> {
  const asked = scoreAsked(config.train.monitor);
  if (asked === undefined) return undefined;
  const detector = new GroundingDinoPredictor(parts);
  const counting = countingOf(config);
  const masker =
    asked === 'dsc' ? createMasker(await loadMasker(config.model.masker, { adapter: config.model.maskerAdapter })) : undefined;
  return {
    judge: await strictJudge(detectorMethod(detector, masker, counting), val, counting),
    sumUp: (rows) => {
      const { dsc, boxIou } = meansOf(rows);
      return masker === undefined ? { boxIou } : { dsc, boxIou };
    },
    forget: () => detector.forget(),
    dispose: () => {
      detector.forget();
      masker?.dispose();
    },
  };
}

/**
 * Creates the masker score: `dsc` of its masks for the ground-truth boxes, called `dscWithGroundTruthBox` in an evaluation.
 *
 * @throws ConfigError when another score is requested.
 */
export async function maskerScores(
  config: RunConfig,
  parts: Sam2ImagePredictorOptions,
  val: Dataset,
): Promise<AnswerScores | undefined> {
  const asked = scoreAsked(config.train.monitor);
  if (asked === undefined) return undefined;
  if (asked !== 'dsc') {
    const what = `a masker is given its boxes: there is no ${config.train.monitor}`;
    throw new ConfigError({
      code: 'E_CONFIG_VALUE',
      where: 'train.monitor',
      what,
      fix: 'Choose val.dsc, val.loss or a part of the loss',
    });
  }
  const masker = new Sam2ImagePredictor(parts);
  const method: Method = {
    ...IN_TRAINING,
    answer: async () => [],
    answerBoxes: async ({ image }, boxes) => {
      const masks = await predictMasks(masker, image, boxes);
      return boxes.map((boxXyxyPx, i) => ({ phrase: 'box', score: 1, boxXyxyPx, mask: masks[i] as BinaryMask }));
    },
  };
  return {
    judge: await strictJudge(method, val, countingOf(config)),
    sumUp: (rows) => ({ dsc: meansOf(rows).dscWithGroundTruthBox }),
    forget: () => masker.forget(),
    dispose: () => masker.forget(),
  };
}

const IN_TRAINING = { name: 'in training', scored: true, dispose: async () => {} } as const;

function detectorMethod(detector: Detector, masker: Masker | undefined, { threshold, select }: Counting): Method {
  return {
    ...IN_TRAINING,
    answer: async ({ image }, phrases) => {
      const found = await detector.detect(image, phrases, { threshold, select });
      const boxes = found.map(({ boxXyxyPx }) => boxXyxyPx);
      // If only boxes are evaluated, each stands in for its mask.
      const masks = masker === undefined ? boxes.map((box) => filled(box, image)) : await predictMasks(masker, image, boxes);
      return found.map((detection, i) => ({ ...detection, mask: masks[i] as BinaryMask }));
    },
  };
}

async function predictMasks(masker: Masker, image: RasterImage, boxes: readonly BoxXyxy[]): Promise<BinaryMask[]> {
  if (boxes.length === 0) return [];
  await masker.setImage(image);
  return (await masker.predictBoxes(boxes)).map(({ mask }) => mask);
}

/** All pixels that a box touches. */
function filled([x0, y0, x1, y1]: BoxXyxy, { width, height }: Size): BinaryMask {
  const data = new Uint8Array(width * height);
  for (let y = Math.floor(y0); y < Math.ceil(y1); y++) data.fill(1, y * width + Math.floor(x0), y * width + Math.ceil(x1));
  return { width, height, data };
}

function countingOf({ eval: { threshold, select } }: RunConfig): Counting {
  return { threshold, select };
}

/** The strict protocol over the images of a dataset. Boundary distances are not measured, as no score uses them. */
async function strictJudge(method: Method, val: Dataset, counting: Counting): Promise<AnswerScores['judge']> {
  const surveys = await surveyDatasets([val]);
  const plans = new Map([...surveys].map(([name, survey]) => [name, planPrompt(survey)]));
  return async (sample) => {
    const plan = plans.get(sample.dataset) as PromptPlan;
    return (await strictRows(method, sample, { ...counting, plan, unit: 'px' })).rows;
  };
}
