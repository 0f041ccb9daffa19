import { expect, it } from '@jest/globals';
import { inference } from '../../src/nn/index.js';
import { loadDetector, shippedModels } from '../../src/pretrained/index.js';
import { collateText } from '../../src/processing/index.js';
import { useBackend } from '../support/backend.js';

useBackend();

/** Phrases of one token each. */
const WORDS = ['nerve', 'lump', 'growth', 'mass', 'tumor'];

it('the shipped detector tells phrases of one token apart', async () => {
  const { model, tokenizer } = await loadDetector(shippedModels.detector);
  const features: number[][] = [];
  for (const word of WORDS) {
    const prompt = tokenizer.encode([word]);
    expect(prompt.inputIds).toHaveLength(4); // [CLS], the word, the full stop, [SEP]
    const text = model.encodeText(collateText([prompt]), inference);
    features.push(((await text.features.array())[0] as number[][])[1] as number[]);
  }
  model.dispose();
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
  for (const [i, a] of features.entries())
    for (const b of features.slice(i + 1)) expect(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))).toBeLessThan(0.9);
});
