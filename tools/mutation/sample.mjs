/**
 * A Stryker checker that draws a share of the mutants by a seed; the others are not counted.
 */
import { createHash } from 'node:crypto';
import { relative } from 'node:path';
import { commonTokens, declareFactoryPlugin, PluginKind, tokens } from '@stryker-mutator/api/plugin';

/** Prefix of the status of a mutant outside the sample. */
export const NOT_DRAWN = 'not in the sample';

function sampleChecker({ sample: { share, seed } }) {
  return {
    async init() {},
    async check(mutants) {
      return Object.fromEntries(
        mutants.map((mutant) => [
          mutant.id,
          place(mutant, seed) < share ? { status: 'passed' } : { status: 'compileError', reason: NOT_DRAWN },
        ]),
      );
    },
    async group(mutants) {
      return [mutants.map(({ id }) => id)];
    },
  };
}

/** A number in [0, 1) by a hash of seed and mutant: the same whatever other mutants there are. */
function place({ fileName, location: { start, end }, replacement }, seed) {
  const text = JSON.stringify([seed, relative(process.cwd(), fileName), start, end, replacement]);
  return createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32;
}

export const strykerPlugins = [
  declareFactoryPlugin(PluginKind.Checker, 'sample', Object.assign(sampleChecker, { inject: tokens(commonTokens.options) })),
];
