import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { lgamma } from 'mathjs/number';
import { betaCdf } from '../../src/processing/beta-cdf.js';
import { type MaskDistributions, maskPValue, readMaskDistributions } from '../../src/processing/index.js';
import { expectError } from '../support/expect-error.js';
import { fixtureJson } from '../support/golden.js';
import { GoldenArrays } from '../support/golden-arrays.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('mask-distributions');

describe('the p-value of a mask', () => {
  it('equals that of the authors’ code with scipy’s Kolmogorov-Smirnov test', async () => {
    const golden = await GoldenArrays.read('biomed-parse-image');
    const distributions = fixtureJson('biomed-parse-image', 'distributions.json') as MaskDistributions;
    const expected = fixtureJson('biomed-parse-image', 'p-values.json') as Record<string, Record<string, number>>;
    const image = { width: 53, height: 37, data: Uint8Array.from(golden.array('in.image').data) };
    for (const [mask, targets] of Object.entries(expected))
      for (const [target, value] of Object.entries(targets)) {
        const probability = { width: 53, height: 37, data: Float32Array.from(golden.array(`in.${mask}`).data) };
        expect(await maskPValue(distributions, target, probability, image)).toBeCloseTo(value, 6);
      }
    expect(expected['none']).toEqual({ 'left heart ventricle': 0, tumor: 0 });
  });

  it('is unknown for structures that the distributions do not have in ultrasound', async () => {
    const whole = fixtureJson('biomed-parse-image', 'distributions.json') as MaskDistributions;
    const distributions = { 'Ultrasound-Cardiac': {}, 'CT-Abdomen': whole['Ultrasound'] as MaskDistributions[string] };
    const one = { width: 1, height: 1, data: new Float32Array([1]) };
    const image = { width: 1, height: 1, data: new Uint8Array(3) };
    expect(await maskPValue(distributions, 'tumor', one, image)).toBeUndefined();
    expect(await maskPValue(whole, 'constructor', one, image)).toBeUndefined();
  });
});

describe('the share of a beta distribution below a value', () => {
  // scipy.stats.beta(a, b).cdf(x), scipy 1.17.
  it.each([
    [0.3, [2, 3], 0.3483],
    [0.9, [0.5, 0.5], 0.7951672353008665],
    [0.5, [150.2, 99.9], 0.0006945633951286534],
    [0.62, [1500, 1000], 0.9798486072190866],
    [0, [2, 3], 0],
    [1, [2, 3], 1],
  ] as const)('at %p of %p', (x, [a, b], expected) => {
    expect(betaCdf(x, [a, b], lgamma)).toBeCloseTo(expected, 10);
    // Both sides of the mean are computed in different ways, and have to meet.
    expect(betaCdf(x, [a, b], lgamma) + betaCdf(1 - x, [b, a], lgamma)).toBeCloseTo(1, 12);
  });
});

describe('target_dist.json', () => {
  it('is read if it is there, and named if it does not hold four distributions for each structure', async () => {
    expect(await readMaskDistributions(join(dir, 'nowhere'))).toBeUndefined();
    const distributions = fixtureJson('biomed-parse-image', 'distributions.json');
    await writeFile(join(dir, 'target_dist.json'), JSON.stringify(distributions));
    expect(await readMaskDistributions(dir)).toEqual(distributions);
    for (const [text, what] of [
      ['version https://git-lfs.github.com/spec/v1', 'four beta distributions'],
      ['{"Ultrasound": {"tumor": [[1, 2], [1, 2], [1, 2]]}}', 'Ultrasound.tumor'],
      ['{"Ultrasound": {"tumor": [[1, 2], [1, 2], [1, 2], [1, -2]]}}', 'Ultrasound.tumor.3.1'],
    ] as const) {
      await writeFile(join(dir, 'target_dist.json'), text);
      await expectError(readMaskDistributions(dir), { code: 'E_MODEL_DAMAGED', where: 'target_dist.json', what });
    }
  });
});
