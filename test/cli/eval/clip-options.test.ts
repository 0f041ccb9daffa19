import { describe, expect, it } from '@jest/globals';
import { checkClipOptions } from '../../../src/cli/eval/clip-options.js';
import { expectError } from '../../support/expect-error.js';

describe('the options of eval --clips', () => {
  it.each([
    [{ clips: ['phantoms'], support: 16 }, '--support', 'it does not apply to clips'],
    [{ clips: ['phantoms'], point: ['fixed'] }, '--point', 'it does not apply to clips'],
    [{ clips: ['phantoms'], asPublished: true }, '--as-published', 'it does not apply to clips'],
    [{ clipCount: 3 }, '--clip-count', 'it is for clips'],
  ])('refuses what would have no effect, also where it is a default: %j', (argv, where, what) => {
    expectError(() => checkClipOptions(argv), { code: 'E_OPTION_CONFLICT', where, what });
  });

  it('takes its own, those that both have, and what yargs fills in', () => {
    const filled = { _: ['eval'], $0: 'sonoground', method: [], table: [], asPublished: false, trust: false, support: undefined };
    expect(() => checkClipOptions({ ...filled, clips: ['phantoms'], 'clip-count': 3, clipCount: 3, split: 'val' })).not.toThrow();
    expect(() => checkClipOptions({ ...filled, split: 'test', support: 8 })).not.toThrow();
  });
});
