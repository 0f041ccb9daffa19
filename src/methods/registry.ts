import { nearest, UsageError } from '../util/index.js';
import { biomedparse } from './biomedparse.js';
import type { BuiltEntry, MethodEntry, PromptKind } from './entry.js';
import { medclipSam } from './medclip-sam.js';
import { medclipSamV2 } from './medclip-samv2.js';
import { medsam } from './medsam.js';
import { samus } from './samus.js';
import { universeg } from './universeg.js';

/** The methods of the paper's comparison, in the order of its tables. */
export const methodEntries: readonly MethodEntry[] = [universeg, biomedparse, samus, medclipSam, medclipSamV2, medsam];

/** Their names, for options. */
export const methodNames: readonly string[] = methodEntries.map(({ name }) => name);

const GIVEN: Readonly<Record<PromptKind, string>> = {
  text: 'a text prompt',
  box: 'boxes',
  point: 'points',
  exemplars: 'exemplars: other images with their masks',
};

/** What a method takes, as a sentence. */
export function describeGiven({ name, takes }: MethodEntry): string {
  return `${name} takes ${GIVEN[takes]}`;
}

/**
 * A method by its name.
 *
 * @throws UsageError when there is none of that name, or when it is not implemented.
 */
export function findMethod(name: string): BuiltEntry {
  const entry = methodEntries.find((one) => one.name === name);
  if (entry === undefined) {
    const near = nearest(name, methodNames);
    throw new UsageError({
      code: 'E_METHOD_UNKNOWN',
      where: 'method',
      what: `there is no ${JSON.stringify(name)}${near === undefined ? '' : `, did you mean ${near}?`}`,
      fix: `Choose from ${methodNames.join(', ')}`,
    });
  }
  if (entry.create !== undefined) return entry;
  throw new UsageError({
    code: 'E_METHOD_NOT_BUILT',
    where: 'method',
    what: `${name} is not implemented in this version (${describeGiven(entry)}; weights: ${entry.weights.published})`,
    fix: 'Run it in its own environment, and pass its masks as predictions',
  });
}

/** @throws UsageError unless the method takes that kind of prompt. */
export function requireTakes<Kind extends BuiltEntry['takes']>(
  entry: BuiltEntry,
  given: Kind,
  where: string,
): asserts entry is Extract<BuiltEntry, { takes: Kind }> {
  if (entry.takes === given) return;
  throw new UsageError({
    code: 'E_METHOD_PROMPT',
    where,
    what: `${entry.name} does not take ${GIVEN[given]}`,
    fix: describeGiven(entry),
  });
}
