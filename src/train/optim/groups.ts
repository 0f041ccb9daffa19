import type { Parameter } from '../../nn/index.js';
import { ConfigError, matchesPattern } from '../../util/index.js';
import type { ParameterGroup } from './adamw.js';

/** Settings of the parameters whose paths match a pattern. */
export interface GroupRule {
  readonly match: string;
  /** Peak learning rate. */
  readonly learningRate?: number | undefined;
  /** Alternatively, a factor on the run's rate. */
  readonly lrScale?: number | undefined;
  /** Default: the optimiser's. */
  readonly weightDecay?: number | undefined;
}

/**
 * Assigns each parameter to the first rule whose pattern matches its path; the others form the last group, `rest`.
 *
 * @param learningRate - the run's peak rate.
 * @throws ConfigError naming all rules that match no parameter.
 */
export function groupParameters(
  parameters: readonly (readonly [string, Parameter])[],
  rules: readonly GroupRule[],
  learningRate: number,
): ParameterGroup[] {
  const owner = parameters.map(([path]) => rules.findIndex(({ match }) => matchesPattern(path, match)));
  const groups = rules.map(({ match, learningRate: own, lrScale, weightDecay }, i) => ({
    name: match,
    parameters: parameters.filter((_, k) => owner[k] === i),
    lrScale: own === undefined ? (lrScale ?? 1) : own / learningRate,
    ...(weightDecay !== undefined && { weightDecay }),
  }));
  const empty = groups.filter((group) => group.parameters.length === 0).map(({ name }) => name);
  if (empty.length > 0) {
    const taken = (name: string) => parameters.some(([path]) => matchesPattern(path, name));
    const reasons = empty.map(
      (name) => `${name} fits ${taken(name) ? 'only parameters of earlier groups' : 'no trained parameter'}`,
    );
    const fix = `Paths look like ${parameters[0]?.[0] ?? '(nothing is trained)'}; * stands for one step, ** for any number`;
    throw new ConfigError({ code: 'E_CONFIG_PATTERN', where: 'train.groups', what: reasons.join('; '), fix });
  }
  return [...groups, { name: 'rest', parameters: parameters.filter((_, k) => owner[k] === -1) }];
}
