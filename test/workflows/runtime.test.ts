import { describe, expect, it } from '@jest/globals';
import { measureMethod, runtimeTable, timed } from '../../src/workflows/evaluate/runtime.js';
import { methodOf, object, sample } from '../support/eval.js';

const one = sample('a', [object('tumor', [2, 2, 9, 9])]);

describe('the runtimes of methods', () => {
  it('are measured without the cache, after warm-ups; a folder of masks has none', async () => {
    const asked: string[] = [];
    const method = {
      ...methodOf('medsam (oracle box)', () => []),
      given: 'box (oracle)',
      predict: async (_sample: unknown, phrases: readonly string[]) => void asked.push(...phrases),
      dispose: async () => void asked.push('freed'),
    };
    const measured = await measureMethod(method, one, 'tumor');
    expect(asked).toEqual([...Array.from({ length: 14 }, () => 'tumor'), 'freed']);
    expect(measured).toMatchObject({ name: 'medsam (oracle box)', given: 'box (oracle)' });
    expect(measured?.timing.mean).toBeGreaterThanOrEqual(0);
    expect(
      await measureMethod(
        methodOf('masks', () => []),
        one,
        'tumor',
      ),
    ).toBeUndefined();
  });

  it('are means of fewer runs where a run takes minutes, not of hours', async () => {
    const runs = async (seconds: number) => (await timed(async () => seconds, 10, 3)).length;
    expect([await runs(1), await runs(30), await runs(600)]).toEqual([10, 4, 3]);
  });

  it('are rows of table 6, which state what each method was given', () => {
    const timing = { mean: 0.5, std: 0.1 };
    const others = [{ name: 'medsam (our box)', given: 'box (our detector)', timing, runs: 4 }];
    const { rows, notes } = runtimeTable(
      { device: 'CPU', image: 'a, 40x30', runs: 10, detector: timing, masker: timing, whole: timing, others },
      'models',
    );
    expect(rows.map(({ cells }) => cells[0])).toEqual(['published, total', 'detector', 'masker', 'total', 'medsam (our box)']);
    expect(rows.at(-1)?.cells).toEqual([
      'medsam (our box)',
      'CPU',
      '0.5000',
      '0.1000',
      4,
      'one image, one structure; given: box (our detector)',
    ]);
    expect(notes.join(' ')).toContain('an oracle’s box costs nothing');
  });
});
