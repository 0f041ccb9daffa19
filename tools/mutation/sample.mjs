/**
 * A checker for Stryker that lets a seeded sample of an area's mutants through. It is asked once for all of them together, and
 * what it withholds is not counted.
 */
import { createHash } from 'node:crypto';
import { relative } from 'node:path';
import { commonTokens, declareFactoryPlugin, PluginKind, tokens } from '@stryker-mutator/api/plugin';

/** Begins the status of a mutant that was not drawn. */
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

/** Order by a hash of seed and mutant: other mutants may come and go without changing who of the rest is drawn. */
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
