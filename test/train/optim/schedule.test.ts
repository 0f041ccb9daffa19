import { describe, expect, it } from '@jest/globals';
import { learningRateAt, type Schedule } from '../../../src/train/optim/index.js';
import { relativeError } from '../../support/compare.js';
import { GoldenCase } from '../../support/golden.js';

const PEAK = 3e-3;

function rates(schedule: Omit<Schedule, 'peak'>): number[] {
  return Array.from({ length: schedule.totalSteps }, (_, step) => learningRateAt(step, { ...schedule, peak: PEAK }));
}

describe('learning rates', () => {
  it('follow torch', async () => {
    const golden = await GoldenCase.read('adamw-two-groups');
    const expected = (name: string) => golden.array(name).data as Float32Array;
    const oneCycle = rates({ schedule: 'one-cycle', warmupSteps: 12, totalSteps: 40 });
    expect(relativeError(oneCycle, expected('out.one_cycle'))).toBeLessThan(1e-6);
    const cosine = rates({ schedule: 'cosine', warmupSteps: 8, totalSteps: 40 });
    expect(relativeError(cosine, expected('out.cosine'))).toBeLessThan(1e-6);
  });

  it('rise and stay', () => {
    const constant = rates({ schedule: 'constant', warmupSteps: 4, totalSteps: 6 });
    expect(
      relativeError(
        constant,
        [0.25, 0.5, 0.75, 1, 1, 1].map((share) => share * PEAK),
      ),
    ).toBeLessThan(1e-12);
  });

  it.each(['constant', 'cosine', 'one-cycle'] as const)('stay between 0 and the peak, %s, however short the run', (schedule) => {
    for (const [warmupSteps, totalSteps] of [
      [0, 1],
      [1, 1],
      [0, 5],
      [1, 5],
      [5, 5],
      [9, 5],
    ] as const) {
      const all = Array.from({ length: 12 }, (_, step) =>
        learningRateAt(step, { schedule, peak: PEAK, warmupSteps, totalSteps }),
      );
      for (const rate of all) {
        expect(rate).toBeGreaterThanOrEqual(0);
        expect(rate).toBeLessThanOrEqual(PEAK * (1 + 1e-12));
      }
    }
  });
});
