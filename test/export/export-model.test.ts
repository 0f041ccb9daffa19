import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { initBackend, tf } from '../../src/backend/index.js';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { type ExportOptions, exportModel } from '../../src/export/index.js';
import type { RasterImage } from '../../src/imaging/index.js';
import {
  type ExportForm,
  GroundedSegmenter,
  type LoadOptions,
  type Manifest,
  type ManifestPart,
  openRunner,
  rawForward,
  readManifest,
  type Segment,
} from '../../src/infer/index.js';
import { UsageError } from '../../src/util/index.js';
import { type NamedArray, readSafetensors, writeSafetensors } from '../../src/weights/formats/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { relativeError } from '../support/compare.js';
import { fixturePath, GoldenCase } from '../support/golden.js';
import { expectSameSegments } from '../support/segments.js';
import { describeUnless, notNative } from '../support/skipped.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Graphs are recorded on TensorFlow. */
const missing = notNative(await initBackend());
useBackend();

const NANO = { detector: 'weights/nano-grounding-dino', masker: 'weights/nano-sam2' };
/** The base and the adapter of the fixtures. */
const ADAPTED = {
  detector: fixturePath('grounding-dino-four-levels'),
  adapter: fixturePath('lora-detector'),
  masker: 'weights/nano-sam2',
};

const dir = temporaryFolder('export');
let images: RasterImage[];
beforeAll(async () => {
  const domain = phantomDomains['standard'] as PhantomDomain;
  const phantoms = new PhantomDataset({ size: 2, seed: 9, width: 128, height: 96, domain });
  images = await Promise.all([0, 1].map(async (i) => (await phantoms.load(i)).image));
});

function exportNano(form: ExportForm, name: string, options: Partial<ExportOptions> = {}): Promise<Manifest> {
  return exportModel(NANO, { form, to: join(dir, name), ...options });
}

/** The largest error of each part, printed. */
function errorsOf(title: string, { detector, masker }: Manifest): number {
  const checks = [detector, masker].flatMap((part: ManifestPart | null) => part?.verification ?? []);
  expect(checks.length).toBeGreaterThan(0);
  const largest = Math.max(...checks.map(({ max_abs_error: error }) => error));
  process.stderr.write(`${title}: largest error ${largest.toExponential(1)} over ${checks.length} comparisons\n`);
  return largest;
}

const PROMPT = 'cyst. kidney. vessel.';

async function segmentAll(models: string | LoadOptions): Promise<Segment[][]> {
  const segmenter = await GroundedSegmenter.load(models);
  try {
    const found: Segment[][] = [];
    for (const image of images) found.push(await segmenter.segment(image, PROMPT, { threshold: 0.2 }));
    return found;
  } finally {
    segmenter.dispose();
  }
}

describe('safetensors', () => {
  it('is what the model was, and loads as a segmenter', async () => {
    const manifest = await exportNano('safetensors', 'hf');
    expect(errorsOf('safetensors', manifest)).toBe(0);
    expectSameSegments(await segmentAll(join(dir, 'hf')), await segmentAll(NANO));
  });

  it('says of a detector that reads phrases as sentences that transformers does not', async () => {
    const said: string[] = [];
    const source = { detector: 'weights/ultrasound-detector', masker: NANO.masker };
    const options = { form: 'safetensors', to: join(dir, 'sentences'), say: (line: string) => void said.push(line) } as const;
    expect(errorsOf('sentences', await exportModel(source, options))).toBe(0);
    expect(said.join('\n')).toMatch(/transformers does not know phrases_as_sentences/);
  });

  it('holds the adapter: outputs are those of the reference with the adapter', async () => {
    await mkdir(join(dir, 'base'));
    const base = await copyWithTokenizer(ADAPTED.detector, join(dir, 'base'));
    const to = join(dir, 'merged');
    expect(errorsOf('merged', await exportModel({ ...ADAPTED, detector: base }, { form: 'safetensors', to }))).toBe(0);
    await expectGolden({ model: join(to, 'detector') }, 'merged');
  });
});

describe('peft', () => {
  it('keeps the adapter and says whose it is', async () => {
    await mkdir(join(dir, 'base2'));
    const base = await copyWithTokenizer(ADAPTED.detector, join(dir, 'base2'));
    const to = join(dir, 'peft');
    expect(errorsOf('peft', await exportModel({ ...ADAPTED, detector: base }, { form: 'peft', to }))).toBe(0);
    const config = JSON.parse(readFileSync(join(to, 'detector', 'adapter_config.json'), 'utf8'));
    expect(config.base_model_name_or_path).toBe(base);
    await expectGolden({ model: base, adapter: join(to, 'detector') }, 'peft');
    const segmenter = await GroundedSegmenter.load(to);
    segmenter.dispose();
  });

  it('needs an adapter', async () => {
    await expect(exportNano('peft', 'none')).rejects.toThrow(/there is no adapter/);
  });
});

describeUnless(missing, 'graphs', () => {
  it('as a SavedModel, give the same on other images, prompts and sizes than those that were recorded', async () => {
    const manifest = await exportNano('savedmodel', 'saved', { textLength: 24 });
    expect(errorsOf('savedmodel', manifest)).toBeLessThan(1e-4);
    const { inputs } = manifest.detector.signatures['serving_default'] as ManifestPart['signatures'][string];
    expect(inputs['pixel_values']?.shape).toEqual(['B', 128, 128, 3]);
    expect(inputs['input_ids']?.shape).toEqual(['B', 24]);
    expect(manifest.masker?.signatures['decode_boxes']?.inputs['input_boxes']?.shape).toEqual([1, 'N', 4]);
    expectSameSegments(await segmentAll(join(dir, 'saved')), await segmentAll(NANO));
  });

  it('hold no operation of our own', async () => {
    const bytes = readFileSync(join(dir, 'saved', 'detector', 'saved_model.pb')).toString('latin1');
    expect(bytes).toContain('GatherV2');
    expect(bytes).not.toContain('Sonoground');
  });

  it('do not leave tensors behind', async () => {
    expect(await leakOf(() => exportNano('savedmodel', 'leak', { textLength: 16, imageSize: [64, 96] }))).toBe(0);
    const segmenter = await GroundedSegmenter.load(join(dir, 'leak'));
    await segmenter.segment(images[0] as RasterImage, PROMPT, { threshold: 0.01, maxDetections: 2 });
    const again = () => segmenter.segment(images[0] as RasterImage, PROMPT, { threshold: 0.01, maxDetections: 2 });
    expect(await leakOf(again)).toBe(0);
    segmenter.dispose();
  });

  /** A signature of the graph model, with inputs and TensorFlow's outputs for them. */
  type Case = readonly [ManifestPart, string, Record<string, NamedArray>, Record<string, Float32Array>];
  let exported: Promise<Case[]> | undefined;

  async function exportGraphModel(): Promise<Case[]> {
    const manifest = await exportNano('graph-model', 'graph', { textLength: 16, imageSize: [96, 96] });
    expect(errorsOf('graph-model', manifest)).toBeLessThan(1e-4);
    const parts = [manifest.detector, manifest.masker as ManifestPart];
    const cases: Case[] = [];
    for (const part of parts) {
      const runner = await openRunner(join(dir, 'graph'), 'graph-model', part);
      for (const [signature, { inputs }] of Object.entries(part.signatures)) {
        const tensors = samplesFor(inputs);
        const outputs = await runner.run(signature, tensors);
        const values = Object.entries(outputs).map(async ([key, x]) => [key, await x.data<'float32'>()] as const);
        cases.push([part, signature, await arraysOf(tensors), Object.fromEntries(await Promise.all(values))]);
        tf.dispose([tensors, { ...outputs }]);
      }
      runner.dispose();
    }
    return cases;
  }

  it.each(['wasm', 'cpu'] as const)('as a graph model, run on %s', async (backend) => {
    exported ??= exportGraphModel();
    const cases = await exported;
    await initBackend(backend);
    try {
      for (const [part, signature, arrays, expected] of cases) {
        const runner = await openRunner(join(dir, 'graph'), 'graph-model', {
          signatures: { [signature]: part.signatures[signature] as never },
        });
        const tensors = Object.fromEntries(
          Object.entries(arrays).map(([key, a]) => [key, tf.tensor(a.data, [...a.shape], a.dtype)]),
        );
        const outputs = await runner.run(signature, tensors);
        for (const [key, x] of Object.entries(outputs)) {
          const error = relativeError(await x.data<'float32'>(), expected[key] as Float32Array);
          process.stderr.write(
            `graph-model on ${backend}: ${part.path} ${signature} ${key}: relative error ${error.toExponential(1)}\n`,
          );
          expect(error).toBeLessThan(1e-4);
        }
        tf.dispose([tensors, { ...outputs }]);
        runner.dispose();
      }
    } finally {
      await initBackend('tensorflow');
    }
  });

  it.each([
    ['float16', 2e-3],
    ['uint8', 0.1],
  ] as const)('as a graph model of %s, come close', async (dtype, tolerance) => {
    const manifest = await exportNano('graph-model', dtype, { textLength: 16, dtype });
    errorsOf(`graph-model ${dtype}`, manifest);
    // Features, as which queries are chosen hangs on little.
    const features = (manifest.masker?.verification ?? []).filter(({ what }) => what.includes('image_embeddings'));
    const shares = features.map(({ max_abs_error: error, max_abs_value: value }) => error / value);
    process.stderr.write(
      `graph-model ${dtype}: features differ by ${shares.map((x) => x.toExponential(1)).join(', ')} of the largest\n`,
    );
    expect(Math.max(...shares)).toBeLessThan(tolerance);
    const size = (name: string) => Object.values(readFiles(join(dir, name))).reduce((sum, n) => sum + n, 0);
    process.stderr.write(`graph-model ${dtype}: ${(size(dtype) / 1e6).toFixed(1)} MB\n`);
    expect(await segmentAll(join(dir, dtype))).toHaveLength(2);
  });
});

/** Files of weights are cut at 4 MB. */
function readFiles(folder: string): Record<string, number> {
  const names = readdirSync(folder, { recursive: true }).map(String);
  const files = names.filter((name) => name.endsWith('.bin'));
  expect(files.length).toBeGreaterThan(0);
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name)).length]));
}

describe('the folder', () => {
  beforeAll(() => exportNano('safetensors', 'once'));

  it('names every file with its size and hash, and says from what it was made', async () => {
    const manifest = await readManifest(join(dir, 'once'));
    const files = readdirSync(join(dir, 'once'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(Object.keys(manifest.files)).toHaveLength(files.length - 1); // the manifest itself
    expect(manifest.source).toEqual({ run: null, detector: NANO.detector, adapter: null, masker: NANO.masker });
    expect(manifest.files['detector/model.safetensors']?.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is not overwritten unless that is said, and then only if it is an export', async () => {
    await expect(exportNano('safetensors', 'once')).rejects.toThrow(UsageError);
    await exportNano('safetensors', 'once', { overwrite: true, dtype: 'float16' });
    expect((await readManifest(join(dir, 'once'))).detector.dtype).toBe('float16');
    await mkdir(join(dir, 'mine'));
    writeFileSync(join(dir, 'mine', 'thesis.txt'), 'three years');
    await expect(exportNano('safetensors', 'mine', { overwrite: true })).rejects.toThrow(/not an export/);
    expect(existsSync(join(dir, 'mine', 'thesis.txt'))).toBe(true);
  });

  it('does not exist, not even in part, when the export fails', async () => {
    const failing = exportModel(
      { ...NANO, masker: 'weights/nano-grounding-dino' },
      { form: 'safetensors', to: join(dir, 'failed') },
    );
    await expect(failing).rejects.toThrow(/model_type/);
    expect(readdirSync(dir).filter((name) => name.includes('failed'))).toEqual([]);
  });

  it('refuses options that do not fit', async () => {
    await expect(exportNano('safetensors', 'x', { textLength: 9 })).rejects.toThrow(UsageError);
    await expect(exportNano('savedmodel', 'x', { dtype: 'uint8' })).rejects.toThrow(UsageError);
    await expect(exportNano('graph-model', 'x', { textLength: 1000 })).rejects.toThrow(/takes \d+ tokens/);
  });
});

/** A fixture's model with the tokenizer that the fixtures do without. */
async function copyWithTokenizer(from: string, to: string): Promise<string> {
  for (const name of ['config.json', 'model.safetensors']) writeFileSync(join(to, name), readFileSync(join(from, name)));
  writeFileSync(join(to, 'tokenizer.json'), readFileSync('weights/nano-grounding-dino/tokenizer.json'));
  return to;
}

async function expectGolden(models: { model: string; adapter?: string }, title: string): Promise<void> {
  const golden = await GoldenCase.read('lora-detector');
  const { arrays } = await readSafetensors(fixturePath('grounding-dino-four-levels', 'case.safetensors'));
  const names = ['pixel_values', 'pixel_mask', 'input_ids', 'attention_mask', 'token_type_ids'];
  const [inputs, outputs] = [join(dir, `${title}-in.safetensors`), join(dir, `${title}-out.safetensors`)];
  await writeSafetensors(
    inputs,
    new Map(
      names.flatMap((name) => {
        const array = arrays.get(`in.${name}`);
        return array === undefined ? [] : [[name, array]];
      }),
    ),
  );
  await rawForward({ ...models, inputs, outputs });
  const actual = (await readSafetensors(outputs)).arrays;
  for (const name of ['logits', 'pred_boxes']) {
    const error = relativeError(actual.get(name)?.data ?? [], golden.array(`out.${name}`).data);
    process.stderr.write(`${title}: ${name} against the reference: relative error ${error.toExponential(1)}\n`);
    expect(error).toBeLessThan(1e-3);
  }
}

/** Values for every input of a signature, letters being 2. */
function samplesFor(inputs: ManifestPart['signatures'][string]['inputs']): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, shape }]) => {
      const sizes = shape.map((n) => (typeof n === 'number' ? n : 2));
      if (dtype === 'float32')
        return [name, tf.randomUniform(sizes, 0, name === 'input_boxes' || name === 'input_points' ? 60 : 1, dtype, 3)];
      const ids = [101, 5, 6, 1012, 7, 1012, 102];
      const values = Int32Array.from({ length: sizes.reduce((a, b) => a * b, 1) }, (_, i) =>
        name === 'input_ids'
          ? (ids[i] ?? 0)
          : name === 'attention_mask'
            ? Number(i < ids.length)
            : name === 'token_type_ids'
              ? 0
              : 1,
      );
      return [name, tf.tensor(values, sizes, 'int32')];
    }),
  );
}

async function arraysOf(tensors: Record<string, tf.Tensor>): Promise<Record<string, NamedArray>> {
  const entries = Object.entries(tensors).map(
    async ([name, x]) => [name, { dtype: x.dtype, shape: x.shape, data: await x.data() } as NamedArray] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}
