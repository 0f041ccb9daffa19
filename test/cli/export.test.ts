import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import { initBackend } from '../../src/backend/index.js';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { GroundedSegmenter, type LoadOptions, type MaskPrediction, readManifest, type Segment } from '../../src/infer/index.js';
import { type RunConfig, runConfigSchema, runTraining } from '../../src/train/index.js';
import { useBackend } from '../support/backend.js';
import { runCommand } from '../support/command.js';
import { expectSameSegments, scoreDifference } from '../support/segments.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Graphs are recorded on TensorFlow. */
const native = (await initBackend()) === 'tensorflow';
useBackend();
// Trains, and exports what it trained in every form.

const phantoms = (size: number, seed: number) =>
  new PhantomDataset({ size, seed, width: 64, height: 56, domain: phantomDomains['standard'] as PhantomDomain });
const data = { train: phantoms(4, 1), val: phantoms(2, 2), test: phantoms(2, 3) };
const NANO = { detector: 'weights/nano-grounding-dino', masker: 'weights/nano-sam2' };

const dir = temporaryFolder('export-run');

/** Two steps, which move the weights far enough to be told apart. */
async function trained(name: string, settings: object, learningRate = 1e-2): Promise<RunConfig> {
  const config = runConfigSchema.parse({
    run: { dir: join(dir, name), seed: 5 },
    model: NANO,
    data: { format: 'phantom' },
    train: { epochs: 1, stepsPerEpoch: 2, batchSize: 2, learningRate, warmupSteps: 0, preflight: false, probe: 'none' },
    ...settings,
  });
  await runTraining(config, data);
  return config;
}

const exported = (run: string, to: string, format: string, ...more: string[]) =>
  runCommand(['export', '--run', join(dir, run), '--to', join(dir, to), '--format', format, ...more]);

async function segmentAll(models: string | LoadOptions): Promise<Segment[][]> {
  const segmenter = await GroundedSegmenter.load(models);
  try {
    const found: Segment[][] = [];
    for (const i of [0, 1]) {
      const { image } = await data.test.load(i);
      found.push(await segmenter.segment(image, 'cyst. lesion. vessel.', { threshold: 0.05, maxDetections: 4 }));
    }
    return found;
  } finally {
    segmenter.dispose();
  }
}

async function predictMasks(models: string | LoadOptions): Promise<MaskPrediction[]> {
  const segmenter = await GroundedSegmenter.load(models);
  try {
    const { image, objects } = await data.test.load(0);
    await segmenter.masker.setImage(image);
    return await segmenter.masker.predictBoxes(objects.map(({ boxXyxyPx }) => boxXyxyPx));
  } finally {
    segmenter.dispose();
  }
}

const graphs = native ? ['savedmodel', 'graph-model'] : [];

describe('the detector of a run', () => {
  it('is exported with its adapter merged and its own size of images, in every form', async () => {
    await trained('lora', { model: { ...NANO, imageSize: { square: 96 } }, lora: { preset: 'paper', rank: 2, alpha: 2 } });
    const expected = await segmentAll({ ...NANO, adapter: join(dir, 'lora', 'best') });
    const base = await segmentAll(NANO);
    expect(scoreDifference(expected, base)).toBeGreaterThan(0.01);
    for (const form of ['safetensors', 'peft', ...graphs]) {
      const { code, text } = await exported('lora', `lora-${form}`, form);
      expect([code, text]).toEqual([0, expect.stringMatching(/described in .*manifest\.json/)]);
      const found = await segmentAll(join(dir, `lora-${form}`));
      expectSameSegments(found, expected);
      process.stderr.write(
        `run as ${form}: scores differ from the run's own by ${scoreDifference(found, expected).toExponential(1)}, from the base model's by ${scoreDifference(found, base).toExponential(1)}\n`,
      );
      const { source, detector } = await readManifest(join(dir, `lora-${form}`));
      expect(source).toMatchObject({ run: join(dir, 'lora'), adapter: join(dir, 'lora', 'best') });
      if (graphs.includes(form)) expect([detector.height, detector.width]).toEqual([96, 96]);
    }
  });

  it('is exported where all of it was trained', async () => {
    await trained('whole', {}, 1e-4);
    expect((await exported('whole', 'whole-hf', 'safetensors')).code).toBe(0);
    const expected = await segmentAll({ ...NANO, detector: join(dir, 'whole', 'best') });
    expectSameSegments(await segmentAll(join(dir, 'whole-hf')), expected);
    expect(scoreDifference(expected, await segmentAll(NANO))).toBeGreaterThan(1e-3);
    expect(await exported('whole', 'never', 'peft')).toEqual({
      code: 2,
      text: expect.stringMatching(/there is no adapter to export/),
    });
  });
});

describe('the masker of a run', () => {
  it('is exported with its adapter merged', async () => {
    await trained('masker', { task: 'masker', lora: { preset: 'mask-decoder', rank: 2, alpha: 2 } });
    const own = { ...NANO, maskerAdapter: join(dir, 'masker', 'best') };
    const [expected, base] = [await predictMasks(own), await predictMasks(NANO)];
    const largest = (a: readonly MaskPrediction[], b: readonly MaskPrediction[]) =>
      Math.max(...a.map(({ score }, k) => Math.abs(score - (b[k]?.score as number))));
    expect(largest(expected, base)).toBeGreaterThan(1e-3);
    for (const form of ['safetensors', ...graphs]) {
      // The detector is not looked at: small, it is soon recorded.
      const small = graphs.includes(form) ? ['--image-size', '96', '--text-length', '16'] : [];
      expect((await exported('masker', `masker-${form}`, form, ...small)).code).toBe(0);
      const found = await predictMasks(join(dir, `masker-${form}`));
      process.stderr.write(
        `masker of a run as ${form}: mask scores differ from the run's own by ${largest(found, expected).toExponential(1)}, from the base model's by ${largest(found, base).toExponential(1)}\n`,
      );
      expect(largest(found, expected)).toBeLessThan(1e-5);
      for (const [k, { mask }] of found.entries()) {
        const differing = mask.data.reduce((sum, value, i) => sum + (value === expected[k]?.mask.data[i] ? 0 : 1), 0);
        expect(differing / mask.data.length).toBeLessThan(1e-3);
      }
      expect((await readManifest(join(dir, `masker-${form}`))).source.masker_adapter).toBe(join(dir, 'masker', 'best'));
    }
  });

  it('is refused as PEFT, with the place where it is that already', async () => {
    const { code, text } = await exported('masker', 'never', 'peft');
    expect(code).toBe(2);
    expect(text).toMatch(
      /there is no adapter of the detector to export\. The masker's is in PEFT's format where it lies, .*best;/,
    );
  });

  it('is not replaced by another', async () => {
    const { code, text } = await exported('masker', 'never', 'safetensors', '--masker', NANO.masker);
    expect([code, text]).toEqual([2, expect.stringMatching(/--masker: .* trained the masker itself/)]);
  });
});

describe('a cross-validation', () => {
  it('is exported fold by fold, with a message', async () => {
    const fold = await trained('cv/fold-2', { lora: { targetModules: ['model.text_projection'], rank: 2 }, eval: { folds: 2 } });
    await writeFile(join(dir, 'cv', 'config.yaml'), stringify({ ...fold, run: { ...fold.run, dir: join(dir, 'cv') } }));
    await cp(join(dir, 'cv', 'fold-2'), join(dir, 'cv', 'fold-1'), { recursive: true, verbatimSymlinks: true });
    const { code, text } = await exported('cv', 'never', 'safetensors');
    expect(code).toBe(2);
    expect(text).toMatch(
      /cross-validation, with a model for each of its 2 folds and none over all\. Name the fold .*--run .*fold-1/,
    );
    expect((await exported('cv/fold-1', 'fold', 'safetensors')).code).toBe(0);
    expect((await readManifest(join(dir, 'fold'))).source.adapter).toBe(join(dir, 'cv', 'fold-1', 'best'));
  });
});

describe('a folder that is no trained run', () => {
  it.each([
    ['nowhere', /nowhere: there is no such folder\. Name the folder of a run/],
    ['empty', /empty: it is not the folder of a run: there is no config\.yaml in it/],
    ['fresh', /fresh: it has no weights yet: there is no folder best in it\. Train it first/],
  ])('is refused in one line: %s', async (name, message) => {
    if (name !== 'nowhere') await mkdir(join(dir, name));
    if (name === 'fresh') await writeFile(join(dir, name, 'config.yaml'), await readFile('configs/phantom.yaml'));
    const { code, text } = await exported(name, 'never', 'safetensors');
    expect([code, text]).toEqual([2, expect.stringMatching(message)]);
    expect(text.trim().split('\n')).toHaveLength(1);
  });
});
