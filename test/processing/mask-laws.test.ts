import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { lgamma } from 'mathjs/number';
import { betaCdf } from '../../src/processing/beta-law.js';
import { type MaskLaws, maskPValue, readMaskLaws } from '../../src/processing/index.js';
import { expectError } from '../support/expect-error.js';
import { fixtureJson } from '../support/golden.js';
import { GoldenArrays } from '../support/golden-arrays.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('mask-laws');

describe('the p-value of a mask', () => {
  it('equals that of the authors’ code with scipy’s Kolmogorov-Smirnov test', async () => {
    const golden = await GoldenArrays.read('biomed-parse-image');
    const laws = fixtureJson('biomed-parse-image', 'laws.json') as MaskLaws;
    const expected = fixtureJson('biomed-parse-image', 'p-values.json') as Record<string, Record<string, number>>;
    const image = { width: 53, height: 37, data: Uint8Array.from(golden.array('in.image').data) };
    for (const [mask, targets] of Object.entries(expected))
      for (const [target, value] of Object.entries(targets)) {
        const probability = { width: 53, height: 37, data: Float32Array.from(golden.array(`in.${mask}`).data) };
        expect(await maskPValue(laws, target, probability, image)).toBeCloseTo(value, 6);
      }
    expect(expected['none']).toEqual({ 'left heart ventricle': 0, tumor: 0 });
  });

  it('is unknown for structures that the laws do not have in ultrasound', async () => {
    const whole = fixtureJson('biomed-parse-image', 'laws.json') as MaskLaws;
    const laws = { 'Ultrasound-Cardiac': {}, 'CT-Abdomen': whole['Ultrasound'] as MaskLaws[string] };
    const one = { width: 1, height: 1, data: new Float32Array([1]) };
    const image = { width: 1, height: 1, data: new Uint8Array(3) };
    expect(await maskPValue(laws, 'tumor', one, image)).toBeUndefined();
    expect(await maskPValue(whole, 'constructor', one, image)).toBeUndefined();
  });
});

describe('the share of a beta law below a value', () => {
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
  it('is read if it is there, and named if it does not hold four laws for each structure', async () => {
    expect(await readMaskLaws(join(dir, 'nowhere'))).toBeUndefined();
    const laws = fixtureJson('biomed-parse-image', 'laws.json');
    await writeFile(join(dir, 'target_dist.json'), JSON.stringify(laws));
    expect(await readMaskLaws(dir)).toEqual(laws);
    for (const [text, what] of [
      ['version https://git-lfs.github.com/spec/v1', 'four beta laws'],
      ['{"Ultrasound": {"tumor": [[1, 2], [1, 2], [1, 2]]}}', 'Ultrasound.tumor'],
      ['{"Ultrasound": {"tumor": [[1, 2], [1, 2], [1, 2], [1, -2]]}}', 'Ultrasound.tumor.3.1'],
    ] as const) {
      await writeFile(join(dir, 'target_dist.json'), text);
      await expectError(readMaskLaws(dir), { code: 'E_MODEL_DAMAGED', where: 'target_dist.json', what });
    }
  });
});
