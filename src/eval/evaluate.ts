import type { Dataset, Sample } from '../data/index.js';
import { dscGivenTrueBoxes, type GroundedSegmenter, type PhraseOverlap, phraseOverlap, type Segment } from '../infer/index.js';
import type { SelectOptions } from '../processing/index.js';

/** How well one phrase was segmented in one image. Fractions in [0, 1]. */
export interface Row extends PhraseOverlap {
  readonly id: string;
  readonly file: string | undefined;
  readonly phrase: string;
  /** DSC of the mask that the masker makes from the true boxes. */
  readonly dscGivenTrueBox: number;
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
        const given = await dscGivenTrueBoxes(segmenter.masker, sample.image, truth);
        rows.push({ id: sample.id, file: sample.file, phrase, ...phraseOverlap(found, truth), dscGivenTrueBox: given });
      } else {
        absent += 1;
        if (found.length > 0) falseAlarms += 1;
      }
    }
    await onImage?.(sample, segments, i + 1);
  }
  return { rows, absent, falseAlarms, images: dataset.size };
}
