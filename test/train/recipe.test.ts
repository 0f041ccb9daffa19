import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { GroundedSegmenter, type LoadOptions } from '../../src/infer/index.js';
import { adaptersIn, setAdapterScale } from '../../src/lora/index.js';
import { loadDetector, loadMasker } from '../../src/pretrained/index.js';
import { runConfigSchema, runTraining } from '../../src/train/index.js';
import { readSafetensors } from '../../src/weights/formats/index.js';
import { runExperiment } from '../../src/workflows/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const phantoms = (size: number, seed: number) =>
  new PhantomDataset({ size, seed, width: 64, height: 56, domain: phantomDomains['shifted'] as PhantomDomain });
const data = { train: phantoms(4, 1), val: phantoms(2, 2), test: phantoms(2, 3) };

const dir = temporaryFolder('recipe');

const phantom = { domain: 'shifted', size: { width: 64, height: 56 }, train: 3, val: 2, test: 2 };
const train = { epochs: 1, stepsPerEpoch: 2, batchSize: 2, learningRate: 1e-2, warmupSteps: 0 };

describe('a run of the paper’s recipe at nano size', () => {
  it('reports and checks the trained parameters, keeps the image size, and reports forgetting', async () => {
    const lines: string[] = [];
    const config = runConfigSchema.parse({
      run: { dir: join(dir, 'recipe'), seed: 5 },
      model: { imageSize: { square: 96 } },
      data: { format: 'phantom', phantom },
      lora: {
        preset: 'paper',
        rank: 2,
        alpha: 2,
        dropout: 0.1,
        rankPattern: { 'model.decoder.layers.0.*': 3 },
        alphaPattern: { 'model.text_projection': 4 },
      },
      train: { ...train, negativePhrases: { share: 0.5, most: 2 } },
      loss: { class: 1, bbox: 10, giou: 1 },
    });
    const { forgetting } = await runExperiment(config, { logger: { info: (line) => lines.push(line), warn: () => {} } });
    expect(lines[0]).toMatch(/^parameters +total +trained +share$/);
    expect(lines.find((line) => line.startsWith('whole model'))).toMatch(/\d\.\d\d %$/);
    expect(lines.find((line) => line.startsWith('bbox_embed'))).toMatch(/100\.00 %$/);
    expect(lines.some((line) => line.startsWith('preflight: '))).toBe(true);
    expect(lines.some((line) => line.startsWith('forgetting, on 24 images of phantom-standard: AP50 '))).toBe(true);

    const metrics = JSON.parse(await readFile(join(dir, 'recipe', 'metrics.json'), 'utf8'));
    expect(metrics.forgetting).toEqual(forgetting);
    expect(metrics.forgetting.before.images).toBe(24);
    expect(metrics.forgetting.before.recall).toBeGreaterThan(metrics.forgetting.after.recall);

    const best = join(dir, 'recipe', 'best');
    expect((await readdir(best)).sort()).toEqual([
      'adapter_config.json',
      'adapter_model.safetensors',
      'preprocessor_config.json',
    ]);
    const written = JSON.parse(await readFile(join(best, 'adapter_config.json'), 'utf8'));
    expect(written).toMatchObject({ r: 2, lora_dropout: 0.1 });
    expect(Object.values(written.rank_pattern)).toContain(3);
    expect(written.alpha_pattern).toEqual({ 'model\\.text_projection': 4 });
    const { model, imageProcessor } = await loadDetector(config.model.detector, { adapter: best });
    expect(imageProcessor.targetSize({ width: 64, height: 56 })).toEqual({ width: 96, height: 96 });
    expect(adaptersIn(model).every(({ module }) => module.dropout === 0.1)).toBe(true);
    model.dispose();
  });

  it('leaves the probe out where none is wanted', async () => {
    const config = runConfigSchema.parse({
      run: { dir: join(dir, 'no-probe'), seed: 5 },
      data: { format: 'phantom', phantom },
      lora: { targetModules: ['model.text_projection'] },
      train: { ...train, probe: 'none', preflight: false },
    });
    const metrics = await runExperiment(config);
    expect('forgetting' in metrics).toBe(false);
  });
});

describe('adapters for the masker', () => {
  it('are trained, saved as PEFT does, read again, and switched off', async () => {
    const config = runConfigSchema.parse({
      task: 'masker',
      run: { dir: join(dir, 'masker'), seed: 5 },
      data: { format: 'phantom' },
      lora: { preset: 'mask-decoder', rank: 2, alpha: 2 },
      train,
    });
    const { bestDir } = await runTraining(config, data);
    const { arrays } = await readSafetensors(join(bestDir, 'adapter_model.safetensors'));
    expect([...arrays.keys()].every((key) => /^base_model\.model\.mask_decoder\..*\.lora_[AB]\.weight$/.test(key))).toBe(true);
    const { image, objects } = await data.test.load(0);
    const scores = async (options: LoadOptions) => {
      const segmenter = await GroundedSegmenter.load(options);
      await segmenter.masker.setImage(image);
      const masks = await segmenter.masker.predictBoxes(objects.map(({ boxXyxyPx }) => boxXyxyPx));
      segmenter.dispose();
      return masks.map(({ score }) => score);
    };
    const [base, tuned, off] = [
      await scores({}),
      await scores({ maskerAdapter: bestDir }),
      await scores({ maskerAdapter: bestDir, adapterScale: 0 }),
    ];
    expect(tuned).not.toEqual(base);
    expect(off).toEqual(base);
    const leak = await leakOf(async () => {
      const { model } = await loadMasker(config.model.masker, { adapter: bestDir });
      setAdapterScale(model, 0.5);
      model.dispose();
    });
    expect(leak).toBe(0);
  });

  it('have no size of images to choose', async () => {
    const config = runConfigSchema.parse({
      task: 'masker',
      run: { dir: join(dir, 'never') },
      model: { imageSize: { square: 64 } },
      data: { format: 'phantom' },
    });
    await expect(runTraining(config, data)).rejects.toThrow('model.imageSize');
  });
});
