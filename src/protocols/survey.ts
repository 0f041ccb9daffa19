import type { Dataset, Sample } from '../data/index.js';
import { DataError } from '../util/index.js';
import type { DistanceUnit } from './row.js';

/** Common properties of a dataset's images, collected before evaluation. */
export interface DatasetSurvey {
  readonly name: string;
  readonly images: number;
  /** Names of structures present in images, sorted. */
  readonly shown: readonly string[];
  /** Names that images prompt for, present or not, sorted. */
  readonly asked: readonly string[];
  /** Whether prompts differ between images and include absent structures: the dataset's own prompts. */
  readonly ownQuestions: boolean;
  /** Whether most images show several kinds of structures: each kind is then a separate item, as in kidneyUS. */
  readonly structures: boolean;
  /** Millimetres only if every image has a known pixel size. */
  readonly unit: DistanceUnit;
  /** Whether images state their patient or volume. */
  readonly grouped: boolean;
}

interface Tally {
  images: number;
  positives: number;
  several: number;
  negatives: number;
  spaced: number;
  grouped: number;
  readonly shown: Set<string>;
  readonly asked: Set<string>;
  readonly questions: Set<string>;
}

/**
 * Reads every sample once and surveys each dataset, by name.
 *
 * @throws DataError when there is no image.
 */
export async function surveyDatasets(
  splits: readonly Dataset[],
  onSample?: (done: number, total: number) => void,
): Promise<ReadonlyMap<string, DatasetSurvey>> {
  const tallies = new Map<string, Tally>();
  const total = splits.reduce((sum, { size }) => sum + size, 0);
  if (total === 0)
    throw new DataError({
      code: 'E_SPLIT_EMPTY',
      where: 'evaluation',
      what: 'this split has no image',
      fix: 'Choose another --split',
    });
  let done = 0;
  for (const split of splits) {
    for (let i = 0; i < split.size; i++) {
      count(await split.load(i), tallies);
      done += 1;
      onSample?.(done, total);
    }
  }
  return new Map([...tallies].map(([name, tally]) => [name, surveyOf(name, tally)]));
}

function count({ dataset, objects, phrases, spacingMm, group }: Sample, tallies: Map<string, Tally>): void {
  const tally = tallies.get(dataset) ?? emptyTally();
  tallies.set(dataset, tally);
  const shown = new Set(objects.map(({ phrase }) => phrase));
  tally.images += 1;
  if (shown.size > 0) tally.positives += 1;
  if (shown.size > 1) tally.several += 1;
  if (phrases.some((phrase) => !shown.has(phrase))) tally.negatives += 1;
  if (spacingMm !== undefined) tally.spaced += 1;
  if (group !== undefined) tally.grouped += 1;
  for (const phrase of shown) tally.shown.add(phrase);
  for (const phrase of [...phrases, ...shown]) tally.asked.add(phrase);
  tally.questions.add([...phrases].sort().join('. '));
}

function emptyTally(): Tally {
  const sets = { shown: new Set<string>(), asked: new Set<string>(), questions: new Set<string>() };
  return { images: 0, positives: 0, several: 0, negatives: 0, spaced: 0, grouped: 0, ...sets };
}

function surveyOf(name: string, tally: Tally): DatasetSurvey {
  return {
    name,
    images: tally.images,
    shown: [...tally.shown].sort(),
    asked: [...tally.asked].sort(),
    ownQuestions: tally.questions.size > 1 && tally.negatives > 0,
    structures: tally.several > tally.positives / 2,
    unit: tally.spaced === tally.images ? 'mm' : 'px',
    grouped: tally.grouped > 0,
  };
}
