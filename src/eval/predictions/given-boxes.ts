import type { Sample } from '../../data/index.js';
import type { RasterImage } from '../../imaging/index.js';
import { type Answer, isMasked } from '../../protocols/index.js';
import type { ModelMethod } from './model-method.js';

/** Where a method that takes boxes gets them from. */
export interface BoxSource {
  /** In names of methods: `oracle box`. */
  readonly label: string;
  /** In tables: `box (oracle)`. */
  readonly given: string;
  /** Whether its boxes have scores. */
  readonly scored: boolean;
  /** Boxes of an image, best first; those to be masked have a mask already, or {@link masksAll} holds. */
  boxes(sample: Sample, phrases: readonly string[]): Promise<Answer>;
  /** Whether every box is masked, or those alone that the source itself masked. */
  readonly masksAll: boolean;
  /** Finds the best box of an image again, without a cache, for timing. */
  find(image: RasterImage, sample: Sample, phrase: string): Promise<Answer>;
}

/**
 * The ground truth's boxes, which no method has in practice: figures of a method that is given them are an upper bound, and are
 * marked as oracle in every table.
 */
export const oracleBoxes: BoxSource = {
  label: 'oracle box',
  given: 'box (oracle)',
  scored: false,
  masksAll: true,
  boxes: async (sample, phrases) => trueBoxes(sample, phrases),
  find: async (_image, sample, phrase) => trueBoxes(sample, [phrase]).slice(0, 1),
};

/** The boxes of our detector, those alone that count by the settings of the evaluation. */
export function detectedBoxes(ours: ModelMethod): BoxSource {
  return {
    label: 'our box',
    given: 'box (our detector)',
    scored: true,
    masksAll: false,
    boxes: (sample, phrases) => ours.answer(sample, phrases),
    async find(image, _sample, phrase) {
      const { detector } = await ours.load();
      return detector.detect(image, [phrase], { threshold: 0, select: 'best-per-phrase' });
    },
  };
}

/** The boxes that get a mask. */
export function wantedBoxes(source: BoxSource, answer: Answer): Answer {
  return source.masksAll ? answer : answer.filter(isMasked);
}

/** One phrase that the dataset does not use stands for everything that an image shows. */
function trueBoxes({ objects, phrases: own }: Sample, phrases: readonly string[]): Answer {
  const known = objects.filter(({ phrase }) => phrases.includes(phrase));
  const [only] = phrases;
  const whole = known.length === 0 && phrases.length === 1 && only !== undefined && !own.includes(only);
  return (whole ? objects : known).map(({ phrase, boxXyxyPx }) => ({ phrase: whole ? only : phrase, score: 1, boxXyxyPx }));
}
