import { UsageError } from '../util/index.js';
import { type MethodEntry, RANDOM_WEIGHTS } from './entry.js';

/**
 * The weights of each model of a method: `CLIP,SAM`; `random` stands for those of all. The paths of a method of several models hold no commas.
 *
 * @throws UsageError when there are fewer or more than the method has models.
 */
export function weightParts({ name, weights }: Pick<MethodEntry, 'name' | 'weights'>, named: string): readonly string[] {
  if (weights.parts === undefined || named === RANDOM_WEIGHTS) return [named];
  const given = named.split(',').map((part) => part.trim());
  if (given.length === weights.parts.length && !given.includes('') && !given.includes(RANDOM_WEIGHTS)) return given;
  throw new UsageError({
    code: 'E_OPTION_VALUE',
    where: name,
    what: `expected the weights of ${weights.parts.length} models, ${weights.parts.join(',')}, got ${JSON.stringify(named)}`,
    fix: `Name both, separated by a comma: ${weights.published}`,
  });
}
