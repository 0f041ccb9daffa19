/**
 * A Stryker checker that selects a seeded sample of an area's mutants. It is called once for all of them together; rejected
 * mutants are not counted.
 */
import { createHash } from 'node:crypto';
import { relative } from 'node:path';
import { commonTokens, declareFactoryPlugin, PluginKind, tokens } from '@stryker-mutator/api/plugin';

/** Prefix of the status of a mutant outside the sample. */
export const NOT_DRAWN = 'not in the sample';

function sampleChecker({ sample: { size, seed } }) {
  return {
    async init() {},
    async check(mutants) {
      const drawn = new Set([...mutants].sort(byRank(seed)).slice(0, size));
      return Object.fromEntries(
        mutants.map((mutant) => [
          mutant.id,
          drawn.has(mutant) ? { status: 'passed' } : { status: 'compileError', reason: NOT_DRAWN },
        ]),
      );
    },
    async group(mutants) {
      return [mutants.map(({ id }) => id)];
    },
  };
}

/** Orders by a hash of seed and mutant: adding or removing mutants does not change the order of the others. */
function byRank(seed) {
  const rank = ({ fileName, location: { start, end }, replacement }) =>
    createHash('sha256')
      .update(JSON.stringify([seed, relative(process.cwd(), fileName), start, end, replacement]))
      .digest('hex');
  return (a, b) => (rank(a) < rank(b) ? -1 : 1);
}

export const strykerPlugins = [
  declareFactoryPlugin(PluginKind.Checker, 'sample', Object.assign(sampleChecker, { inject: tokens(commonTokens.options) })),
];
