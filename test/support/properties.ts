import { it } from '@jest/globals';
import fc from 'fast-check';

/** The same cases in each run; another seed looks at others. A failure prints its seed and the smallest case found. */
const SEED = Number(process.env['SONOGROUND_PROPERTY_SEED'] ?? 20_260_518);

/** A test that holds for every generated case. */
export function property<T>(name: string, cases: fc.Arbitrary<T>, holds: (value: T) => void, runs = 200): void {
  it(`${name} (${runs} cases of seed ${SEED})`, () => {
    fc.assert(fc.property(cases, holds), { seed: SEED, numRuns: runs });
  });
}
