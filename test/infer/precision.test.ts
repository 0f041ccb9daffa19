import { expect, it } from '@jest/globals';
import { type Precision, tf } from '../../src/backend/index.js';
import { withPortableKernels } from '../../src/backend/kernels/index.js';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import type { RasterImage } from '../../src/imaging/index.js';
import { GroundedSegmenter } from '../../src/infer/index.js';
import { checkPrecision } from '../../src/infer/precision.js';
import { diceCoefficient } from '../../src/metrics/index.js';
import { nanoModels } from '../../src/pretrained/index.js';
import { expectError } from '../support/expect-error.js';
import { describeNative, nativeOpsMissing } from '../support/native-ops.js';

const missing = await nativeOpsMissing();

describeNative(missing, 'a segmenter in bfloat16', () => {
  const image = async (i: number): Promise<RasterImage> => {
    const domain = phantomDomains['standard'] as PhantomDomain;
    return (await new PhantomDataset({ size: 3, seed: 5, width: 96, height: 80, domain }).load(i)).image;
  };

  /** The answers for three images, and how many tensors were left. */
  async function answers(threshold: number, precision?: Precision) {
    const before = tf.memory().numTensors;
    const segmenter = await GroundedSegmenter.load({ ...nanoModels, precision });
    const found = [];
    for (let i = 0; i < 3; i++) found.push(...(await segmenter.segment(await image(i), 'cyst. kidney.', { threshold })));
    segmenter.dispose();
    return { found, left: tf.memory().numTensors - before };
  }

  it('finds the same with scores, boxes and masks within a bound, and leaves nothing behind', async () => {
    // Lower for the second: a box just above a threshold may fall below it.
    const [single, half] = [await answers(0.3), await answers(0.25, 'bfloat16')];
    expect(single.found.length).toBeGreaterThan(1);
    for (const { phrase, score, boxXyxyPx, mask, maskScore } of single.found) {
      const distance = (box: readonly number[]) => Math.max(...box.map((side, k) => Math.abs(side - (boxXyxyPx[k] as number))));
      const [same] = half.found
        .filter((other) => other.phrase === phrase)
        .sort((a, b) => distance(a.boxXyxyPx) - distance(b.boxXyxyPx));
      expect(distance(same?.boxXyxyPx ?? [])).toBeLessThan(2);
      expect(Math.abs((same?.score ?? 0) - score)).toBeLessThan(0.03);
      expect(Math.abs((same?.maskScore ?? 0) - maskScore)).toBeLessThan(0.03);
      expect(diceCoefficient(same?.mask ?? mask, mask)).toBeGreaterThan(0.95);
    }
    // Rounding shows: otherwise nothing would be tested.
    expect(half.found[0]?.score).not.toBe(single.found[0]?.score);
    expect([single.left, half.left]).toEqual([0, 0]);
  });

  it('is in float32 unless asked, and the same when that is said', async () => {
    expect((await answers(0.3, 'float32')).found).toEqual((await answers(0.3)).found);
  });

  it('refuses a precision that there is not, before anything is loaded', async () => {
    await expectError(GroundedSegmenter.load({ detector: 'no-such-model', precision: 'half' as Precision }), {
      code: 'E_OPTION_VALUE',
      what: /float32 or bfloat16.*"half"/,
    });
  });

  it('is refused where there are no kernels for it, with what it needs', () => {
    const { what } = withPortableKernels(() => expectError(() => checkPrecision('bfloat16'), { code: 'E_BACKEND_NEEDED' }));
    expect(what).toContain('native operations of the TensorFlow backend');
    expect(() => withPortableKernels(() => checkPrecision('float32'))).not.toThrow();
  });
});
