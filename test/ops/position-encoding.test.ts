import { describe, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { sinePositionEmbedding, sinusoidalEncoding } from '../../src/ops/index.js';
import { useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { GoldenCase } from '../support/golden.js';

useBackend();

describe('sinusoidalEncoding', () => {
  it('agrees with the reference', async () => {
    const golden = await GoldenCase.read('grounding-dino-sampling');
    await expectClose(sinusoidalEncoding(golden.tensor('in.coordinates'), 6), golden.tensor('out.encoding'), 1e-5);
  });
});

describe('sinePositionEmbedding', () => {
  it('counts valid rows and columns', async () => {
    const mask = tf.tensor3d([[[1, 1, 0]], [[1, 1, 1]]]); // [2, 1, 3]
    const share = [
      [1 / 2, 1],
      [2 / 2, 1],
      [2 / 2, 1],
      [1 / 3, 1],
      [2 / 3, 1],
      [3 / 3, 1],
    ];
    const expected = share.flatMap(([x = 0, y = 0]) =>
      [y, x].flatMap((s) => [Math.sin(2 * Math.PI * s), Math.cos(2 * Math.PI * s)]),
    );
    // The reference adds 1e-6 to the counts, which 2π turns into 6e-6 of phase.
    await expectClose(sinePositionEmbedding(mask, 4, 20), tf.tensor3d(expected, [2, 3, 4]), 1e-5);
  });
});
