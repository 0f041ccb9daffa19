import { describe, expect, it } from '@jest/globals';
import { initBackend, tf } from '../../src/backend/index.js';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { GroundedSegmenter } from '../../src/infer/index.js';
import { runConfigSchema, runTraining } from '../../src/train/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('portable');

describe('on WebAssembly', () => {
  it('the shipped model takes a few LoRA steps and segments an image', async () => {
    expect(await initBackend('wasm')).toBe('wasm');
    expect(tf.getBackend()).toBe('wasm');
    const phantoms = (size: number, seed: number) =>
      new PhantomDataset({ size, seed, width: 48, height: 48, domain: phantomDomains['shifted'] as PhantomDomain });
    const data = { train: phantoms(2, 1), val: phantoms(1, 2), test: phantoms(1, 3) };
    const config = runConfigSchema.parse({
      run: { dir, seed: 1 },
      data: { format: 'phantom' },
      lora: { preset: 'paper', rank: 2, alpha: 2 },
      train: { epochs: 1, stepsPerEpoch: 2, batchSize: 1, warmupSteps: 1 },
    });
    const { steps, bestDir, bestValue } = await runTraining(config, data);
    expect(steps).toBe(2);
    expect(Number.isFinite(bestValue)).toBe(true);
    const segmenter = await GroundedSegmenter.load({ adapter: bestDir });
    const { image, phrases } = await data.test.load(0);
    const [segment] = await segmenter.segment(image, phrases, { threshold: 0, maxDetections: 1 });
    expect(segment?.mask.width).toBe(48);
    segmenter.dispose();
  });
});
