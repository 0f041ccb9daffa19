import type { Dataset, Sample, SampleObject } from '../data/index.js';
import type { GroundedSegmenter, Segment } from '../infer/index.js';
import { diceCoefficient, iou } from '../metrics/index.js';
import { type BinaryMask, boxIou, type SelectOptions } from '../processing/index.js';
import { union } from './masks.js';

/** How well one phrase was segmented in one image. Fractions in [0, 1]. */
export interface Row {
  readonly id: string;
  readonly file: string | undefined;
  readonly phrase: string;
  /** Dice coefficient of the union of predicted masks against the union of true ones. 0 when nothing was found. */
  readonly dsc: number;
  readonly iou: number;
  /** IoU of the best box against the largest true box. */
  readonly boxIou: number;
  /** DSC of the mask that the masker makes from the true boxes. */
  readonly dscGivenTrueBox: number;
  /** No box passed the threshold. */
  readonly missed: boolean;
}

/** What a segmenter did on a dataset. */
export interface Evaluation {
  /** One row for each phrase that an image shows. */
  readonly rows: readonly Row[];
  /** Phrases that were asked for in images that do not show them. */
  readonly absent: number;
  /** How many of those got a box all the same. */
  readonly falseAlarms: number;
  readonly images: number;
}

/** How a segmenter is judged. */
export interface EvaluateOptions {
  readonly select: Partial<SelectOptions>;
  /** Called with each image and what was found in it. */
  readonly onImage?: (sample: Sample, segments: readonly Segment[], done: number) => Promise<void> | void;
}

/** Segments every image of a dataset with its own prompt and compares, on the image's own grid. */
export async function evaluate(
  segmenter: GroundedSegmenter,
  dataset: Dataset,
  { select, onImage }: EvaluateOptions,
): Promise<Evaluation> {
  const rows: Row[] = [];
  let absent = 0;
  let falseAlarms = 0;
  for (let i = 0; i < dataset.size; i++) {
    const sample = await dataset.load(i);
    const segments = await segmenter.segment(sample.image, sample.phrases, select);
    for (const phrase of sample.phrases) {
      const truth = sample.objects.filter((object) => object.phrase === phrase);
      const found = segments.filter((segment) => segment.phrase === phrase);
      if (truth.length > 0) {
        rows.push(await compare(segmenter, sample, phrase, truth, found));
      } else {
        absent += 1;
        if (found.length > 0) falseAlarms += 1;
      }
    }
    await onImage?.(sample, segments, i + 1);
  }
  return { rows, absent, falseAlarms, images: dataset.size };
}

async function compare(
  segmenter: GroundedSegmenter,
  sample: Sample,
  phrase: string,
  truth: readonly SampleObject[],
  found: readonly Segment[],
): Promise<Row> {
  const trueMask = union(truth.map(({ mask }) => mask));
  const given = await masksFromTrueBoxes(segmenter, sample, truth);
  const shared = { id: sample.id, file: sample.file, phrase, dscGivenTrueBox: diceCoefficient(given, trueMask) };
  const best = found[0];
  if (best === undefined) return { ...shared, dsc: 0, iou: 0, boxIou: 0, missed: true };
  const predicted = union(found.map(({ mask }) => mask));
  return {
    ...shared,
    dsc: diceCoefficient(predicted, trueMask),
    iou: iou(predicted, trueMask),
    boxIou: Math.max(...truth.map(({ boxXyxyPx }) => boxIou(best.boxXyxyPx, boxXyxyPx))),
    missed: false,
  };
}

async function masksFromTrueBoxes(
  { masker }: GroundedSegmenter,
  { image }: Sample,
  truth: readonly SampleObject[],
): Promise<BinaryMask> {
  await masker.setImage(image);
  const predictions = await masker.masksOf(truth.map(({ boxXyxyPx }) => boxXyxyPx));
  return union(predictions.map(({ mask }) => mask));
}
