import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import { tf } from '../../src/backend/index.js';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { encodePng, type RasterImage } from '../../src/imaging/index.js';
import { CheckpointError, DataError, RuntimeError, Sonoground, UsageError } from '../../src/index.js';
import { applyLora, loraPresets } from '../../src/lora/index.js';
import { loadDetector, loadMasker, nanoModels, saveAdapter } from '../../src/pretrained/index.js';
import { runConfigSchema } from '../../src/train/index.js';
import { Rng } from '../../src/util/index.js';
import { modelsFor } from '../../src/workflows/index.js';
import { useBackend } from '../support/backend.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const PROMPT = 'cyst. kidney. benign lesion.';
/** Low, so that every prompt is answered. */
const LOW = { threshold: 0.02 };
const dir = temporaryFolder('sonoground');

let sonoground: Sonoground;
let image: RasterImage;
const file = join(dir, 'scan.png');
beforeAll(async () => {
  sonoground = await Sonoground.fromPretrained('nano');
  const domain = phantomDomains['standard'] as PhantomDomain;
  ({ image } = await new PhantomDataset({ size: 1, seed: 5, width: 96, height: 80, domain }).load(0));
  await writeFile(file, await encodePng(image));
});
afterAll(() => sonoground.dispose());

describe('Sonoground', () => {
  it('answers a file name, its bytes and the decoded image alike', async () => {
    const decoded = await sonoground.segment(image, PROMPT, LOW);
    expect(decoded.length).toBeGreaterThan(0);
    for (const { label, score, box, mask, maskScore } of decoded) {
      expect(['cyst', 'kidney', 'benign lesion']).toContain(label);
      expect([box.length, mask.width, mask.height]).toEqual([4, 96, 80]);
      expect([score >= 0.02, maskScore > 0, maskScore <= 1]).toEqual([true, true, true]);
    }
    expect(await sonoground.segment(file, PROMPT, LOW)).toEqual(decoded);
    const bytes = await readFile(file);
    expect(await sonoground.segment(bytes, PROMPT, LOW)).toEqual(decoded);
    // A view into a larger buffer, as it comes from a network.
    const larger = new Uint8Array(bytes.length + 9);
    larger.set(bytes, 7);
    expect(await sonoground.segment(larger.subarray(7, 7 + bytes.length), PROMPT, LOW)).toEqual(decoded);
  });

  it('detects the boxes that it segments', async () => {
    const segments = await sonoground.segment(image, PROMPT, LOW);
    const boxes = await sonoground.detect(image, PROMPT, LOW);
    expect(boxes).toEqual(segments.map(({ label, score, box }) => ({ label, score, box })));
  });

  it('detects without a masker, and reports its absence where masks are requested', async () => {
    const boxes = await Sonoground.fromPretrained('nano', { masker: null });
    expect((await boxes.detect(image, PROMPT, LOW)).length).toBeGreaterThan(0);
    await expect(boxes.segment(image, PROMPT)).rejects.toBeInstanceOf(UsageError);
    boxes.dispose();
  });

  it('a missing file is a DataError, and so are bytes of no image', async () => {
    await expect(sonoground.segment(join(dir, 'none.png'), PROMPT)).rejects.toBeInstanceOf(DataError);
    await expect(sonoground.segment(new Uint8Array([1, 2, 3]), PROMPT)).rejects.toBeInstanceOf(DataError);
    await expect(Sonoground.fromPretrained(join(dir, 'none'))).rejects.toBeInstanceOf(CheckpointError);
  });

  it('frees its models when its block ends', async () => {
    const before = tf.memory().numTensors;
    const own = await Sonoground.fromPretrained('nano');
    expect(tf.memory().numTensors).toBeGreaterThan(before);
    own[Symbol.dispose]();
    expect(tf.memory().numTensors).toBe(before);
    await expect(own.segment(image, PROMPT)).rejects.toBeInstanceOf(RuntimeError);
  });
});

describe('what one name stands for', () => {
  const run = join(dir, 'run');
  const best = join(run, 'best');
  const masks = join(dir, 'masks');
  beforeAll(async () => {
    await mkdir(run);
    const { model } = await loadDetector(nanoModels.detector);
    const spec = { ...loraPresets['paper'], rank: 2, alpha: 2, targetModules: loraPresets['paper']?.targetModules ?? [] };
    applyLora(model, spec, Rng.seeded(1));
    await saveAdapter(model, best, spec, nanoModels.detector);
    model.dispose();
    const masker = await loadMasker(nanoModels.masker);
    const own = { rank: 2, alpha: 2, targetModules: ['mask_decoder.**.q_proj'] };
    applyLora(masker.model, own, Rng.seeded(2));
    await saveAdapter(masker.model, masks, own, nanoModels.masker);
    masker.model.dispose();
    const config = { run: { dir: run }, data: { format: 'phantom' }, lora: { preset: 'paper' }, model: nanoModels };
    await writeFile(join(run, 'config.yaml'), stringify(runConfigSchema.parse(config)));
  });

  it('the folder of a run: its best weights, with the models that it started from', async () => {
    expect(await modelsFor(run)).toEqual({ ...nanoModels, adapter: best });
    const own = await Sonoground.fromPretrained(run);
    // Untrained, so the adapter changes nothing.
    const found = await own.detect(image, PROMPT, LOW);
    expect(found.map(({ label }) => label)).toEqual((await sonoground.detect(image, PROMPT, LOW)).map(({ label }) => label));
    own.dispose();
  });

  it('the folder of a demo: both models that it fine-tuned', async () => {
    const demo = join(dir, 'demo');
    const data = { format: 'phantom' };
    const tuned = { run: { dir: demo }, data, lora: { targetModules: ['mask_decoder.**'] }, task: 'masker', model: nanoModels };
    await cp(run, join(demo, 'detector'), { recursive: true });
    await mkdir(join(demo, 'masker'));
    await cp(masks, join(demo, 'masker', 'best'), { recursive: true });
    await writeFile(join(demo, 'masker', 'config.yaml'), stringify(runConfigSchema.parse(tuned)));
    await writeFile(join(demo, 'demo.yaml'), '');
    const [adapter, maskerAdapter] = [join(demo, 'detector', 'best'), join(demo, 'masker', 'best')];
    expect(await modelsFor(demo)).toEqual({ ...nanoModels, adapter, maskerAdapter });
  });

  it('an adapter: it, with the model that it names', async () => {
    expect(await modelsFor(best)).toEqual({ detector: nanoModels.detector, adapter: best });
    expect(await modelsFor(masks)).toEqual({ masker: nanoModels.masker, maskerAdapter: masks });
  });

  it('an adapter that names no model, and a run without weights, are refused', async () => {
    const nameless = join(dir, 'nameless');
    await mkdir(nameless);
    await writeFile(join(nameless, 'adapter_config.json'), '{"peft_type":"LORA","base_model_name_or_path":null}');
    await expect(modelsFor(nameless)).rejects.toMatchObject({ code: 'E_ADAPTER_BASE' });
    const young = join(dir, 'young');
    await mkdir(young);
    await writeFile(join(young, 'config.yaml'), await readFile(join(run, 'config.yaml')));
    await expect(modelsFor(young)).rejects.toMatchObject({ code: 'E_RUN_UNUSABLE' });
  });

  it('anything else: a detector', async () => {
    expect(await modelsFor('grounding-dino-tiny')).toEqual({ detector: 'grounding-dino-tiny' });
  });
});
