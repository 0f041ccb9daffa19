import { type BoxEntry, findMethod, type PointEntry, RANDOM_WEIGHTS, requireTakes, weightsOf } from '../methods/index.js';
import { UsageError } from '../util/index.js';

/** A method in place of the masker, and its weights. */
export interface MaskingMethod {
  readonly entry: BoxEntry | PointEntry;
  readonly weights: string;
}

interface Named {
  readonly name: string | undefined;
  readonly weights: string | undefined;
  readonly masker: string | undefined;
  readonly maskerAdapter: string | undefined;
}

/**
 * The method of `--method`, which masks the boxes that the detector finds for a prompt, or what is at their centres.
 *
 * @throws UsageError for an unknown method, one that takes neither boxes nor points, or options that belong to another masker.
 */
export function maskingMethod({ name, weights, masker, maskerAdapter }: Named): MaskingMethod | undefined {
  if (name === undefined) {
    if (weights === undefined) return undefined;
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: '--weights',
      what: 'no method is named that it could belong to',
      fix: 'Name one with --method, or the weights of the models with --detector and --masker',
    });
  }
  const entry = findMethod(name);
  if (entry.takes !== 'point') requireTakes(entry, 'box', '--method');
  const [other] = Object.entries({ '--masker': masker, '--masker-adapter': maskerAdapter }).filter(
    ([, value]) => value !== undefined,
  );
  if (other !== undefined)
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: other[0],
      what: `${name} takes the place of the masker`,
      fix: 'Leave one of them out',
    });
  const named = weightsOf(entry, weights?.startsWith(`${name}=`) ? weights.slice(name.length + 1) : weights);
  if (named === RANDOM_WEIGHTS)
    throw new UsageError({
      code: 'E_OPTION_VALUE',
      where: '--weights',
      what: 'random weights find nothing',
      fix: `Name ${entry.weights.published}`,
    });
  return { entry, weights: named };
}
