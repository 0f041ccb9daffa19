import { z } from 'zod';
import { CocoDataset, type Dataset, PhantomDataset, type PhantomDomain, phantomDomains } from '../../data/index.js';
import { GroundedSegmenter, type LoadOptions } from '../../infer/index.js';
import { averagePrecision, diceCoefficient, type ImageBoxes, mean, percentOrNull, roundedOrNull } from '../../metrics/index.js';
import { isPackaged } from '../../pretrained/index.js';
import { boxIou } from '../../processing/index.js';
import type { RunConfig } from '../../train/index.js';
import { ConfigError } from '../../util/index.js';

/** See {@link ProbeScore}. */
const probeScoreSchema = z
  .strictObject({
    /** Average precision of boxes at an IoU of 0.5. */
    ap50: z.number().nullable(),
    /** Fraction of ground-truth boxes that a box of the same phrase overlaps with an IoU of at least 0.5. */
    recall: z.number().nullable(),
    /** Mean Dice coefficient of the masker's masks for the ground-truth boxes. */
    dscWithGroundTruthBox: z.number().nullable(),
    images: z.int(),
  })
  .readonly();

/** Scores of a model on the probe, in percent; null where the probe has no objects. */
export type ProbeScore = z.infer<typeof probeScoreSchema>;

/** See {@link Forgetting}. */
export const forgettingSchema = z
  .strictObject({ probe: z.string(), before: probeScoreSchema, after: probeScoreSchema })
  .readonly();

/** Effect of fine-tuning on the model's previous abilities. */
export type Forgetting = z.infer<typeof forgettingSchema>;

/** The probe is always the same: its own seed is far from those of runs. */
const PROBE = { seed: 0x5eed, size: 24, width: 128, height: 128, domain: phantomDomains['standard'] as PhantomDomain };

/** Boxes below this score are ignored. */
const LEAST_SCORE = 0.05;

/** The probe dataset, evaluated before and after training; undefined if the run names none. */
export async function openProbe({ task, train: { probe }, model }: RunConfig): Promise<Dataset | undefined> {
  if (task === 'universeg') {
    if (probe === undefined || probe === 'none') return undefined;
    const what = 'the probe is for detector and masker';
    throw new ConfigError({ code: 'E_CONFIG_CONFLICT', where: 'train.probe', what, fix: 'Remove it' });
  }
  const shipped = isPackaged(model.detector) && isPackaged(model.masker);
  if (model.start === 'random') return undefined;
  if (probe === 'none' || (probe === undefined && !shipped)) return undefined;
  return typeof probe === 'object' ? CocoDataset.open(probe.coco, 'test') : probePhantoms();
}

/** Phantoms of the standard domain, always the same. */
export function probePhantoms(): Dataset {
  return new PhantomDataset(PROBE);
}

/** Evaluates models on the probe, and frees them. */
export async function tryOut(models: LoadOptions, probe: Dataset): Promise<ProbeScore> {
  const segmenter = await GroundedSegmenter.load(models);
  const images: ImageBoxes[] = [];
  const dice: number[] = [];
  try {
    for (let i = 0; i < probe.size; i++) {
      const { image, phrases, objects } = await probe.load(i);
      const found = await segmenter.detector.detect(image, phrases, { threshold: LEAST_SCORE });
      images.push({
        predicted: found.map(({ boxXyxyPx, phrase, score }) => ({ box: boxXyxyPx, label: phrase, score })),
        truth: objects.map(({ boxXyxyPx, phrase }) => ({ box: boxXyxyPx, label: phrase })),
      });
      if (objects.length === 0) continue;
      await segmenter.masker.setImage(image);
      const masks = await segmenter.masker.predictBoxes(objects.map(({ boxXyxyPx }) => boxXyxyPx));
      dice.push(...masks.map(({ mask }, k) => diceCoefficient(mask, (objects[k] as (typeof objects)[number]).mask)));
    }
  } finally {
    segmenter.dispose();
  }
  return {
    ap50: percentOrNull(averagePrecision(images).ap50),
    recall: percentOrNull(recallOf(images)),
    dscWithGroundTruthBox: percentOrNull(mean(dice)),
    images: probe.size,
  };
}

type Figure = Exclude<keyof ProbeScore, 'images'>;

/** The mean over several models' scores, for cross-validation. */
export function meanScore(scores: readonly ProbeScore[]): ProbeScore {
  // All models share the probe: a figure is null for all or for none.
  const of = (name: Figure) => roundedOrNull(mean(scores.map((score) => score[name] ?? Number.NaN)));
  return {
    ap50: of('ap50'),
    recall: of('recall'),
    dscWithGroundTruthBox: of('dscWithGroundTruthBox'),
    images: scores[0]?.images ?? 0,
  };
}

/** The log line of a forgetting report. */
export function forgettingLine({ probe, before, after }: Forgetting): string {
  const change = (name: Figure) => `${before[name]?.toFixed(1) ?? '–'} -> ${after[name]?.toFixed(1) ?? '–'} %`;
  return `forgetting, on ${before.images} images of ${probe}: AP50 ${change('ap50')}, recall ${change('recall')}, DSC with ground-truth box ${change('dscWithGroundTruthBox')}`;
}

function recallOf(images: readonly ImageBoxes[]): number {
  const hits = images.flatMap(({ predicted, truth }) =>
    truth.map(({ box, label }): number => (predicted.some((one) => one.label === label && boxIou(one.box, box) >= 0.5) ? 1 : 0)),
  );
  return mean(hits);
}
