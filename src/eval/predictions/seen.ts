import type { SeenInTraining } from '../../protocols/index.js';
import { isDataset } from '../published/datasets.js';

/**
 * Whether a dataset is among those that weights were trained on. A list names what is known to be in the training, so that a
 * dataset that it does not name is unknown.
 *
 * @param trainedOn - names of datasets. Absent: unknown.
 * @param part - how much of them was used.
 */
export function seenBy(
  trainedOn: readonly string[] | undefined,
  dataset: string,
  part: Exclude<SeenInTraining, 'unknown'> = 'yes',
): SeenInTraining {
  return trainedOn?.some((name) => isDataset(name, dataset)) === true ? part : 'unknown';
}
