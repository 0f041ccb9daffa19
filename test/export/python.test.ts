import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { initBackend, tf } from '../../src/backend/index.js';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { detectorProgram } from '../../src/export/detector-program.js';
import { exportModel } from '../../src/export/index.js';
import { maskerPrograms } from '../../src/export/masker-program.js';
import type { Program } from '../../src/export/program.js';
import { encodePng } from '../../src/imaging/index.js';
import { rawForward } from '../../src/infer/index.js';
import { applyLora, type LoraSpec, loraPresets } from '../../src/lora/index.js';
import { loadDetector, loadMasker, saveAdapter } from '../../src/pretrained/index.js';
import { Rng } from '../../src/util/index.js';
import { type NamedArray, readSafetensors, writeSafetensors } from '../../src/weights/formats/index.js';
import { useBackend } from '../support/backend.js';
import { relativeError } from '../support/compare.js';
import { fixturePath } from '../support/golden.js';
import { pythonFor, pythonMissing, runPython } from '../support/python.js';
import { describeUnless, itUnless, notNative } from '../support/skipped.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const reference = pythonFor('reference');
const tensorflow = pythonFor('tensorflow');
/** Graphs are recorded on TensorFlow. */
const notThere = notNative(await initBackend());
useBackend();
// Python's libraries take their time to start.

const NANO = { detector: 'weights/nano-grounding-dino', masker: 'weights/nano-sam2' };

const dir = temporaryFolder('export-python');

/** An image and a prompt that export neither recorded nor checked. */
const OTHER = 7;

async function arrayOf(x: tf.Tensor): Promise<NamedArray> {
  return { dtype: x.dtype as NamedArray['dtype'], shape: x.shape, data: (await x.data()) as NamedArray['data'] };
}

async function arraysOf(tensors: Readonly<Record<string, tf.Tensor>>): Promise<Map<string, NamedArray>> {
  const arrays = new Map<string, NamedArray>();
  for (const [name, x] of Object.entries(tensors)) arrays.set(name, await arrayOf(x));
  return arrays;
}

async function compare(title: string, file: string, expected: ReadonlyMap<string, NamedArray>, tolerance: number): Promise<void> {
  const { arrays } = await readSafetensors(file);
  expect([...arrays.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [name, { data, shape }] of expected) {
    const actual = arrays.get(name) as NamedArray;
    expect(actual.shape).toEqual(shape);
    const error = relativeError(actual.data as ArrayLike<number>, data as ArrayLike<number>);
    process.stderr.write(`${title}: ${name}: relative error ${error.toExponential(1)}\n`);
    expect(error).toBeLessThan(tolerance);
  }
}

describeUnless(pythonMissing('tensorflow') ?? notThere, "an exported SavedModel in Python's TensorFlow", () => {
  it('gives what the model gives, on another image and prompt than the traced ones, for several sizes', async () => {
    await exportModel(NANO, { form: 'savedmodel', to: join(dir, 'saved'), textLength: 24 });
    const [detector, masker] = [await loadDetector(NANO.detector), await loadMasker(NANO.masker)];
    const programs: [string, Program, number][] = [
      ['detector', detectorProgram(detector, { height: 128, width: 128, textLength: 24 }), 3],
      ...maskerPrograms(masker, { points: 4 }).map((program) => ['masker', program, 5] as [string, Program, number]),
    ];
    const words: string[] = [];
    const expected: [string, string, Map<string, NamedArray>][] = [];
    for (const [k, [part, program, size]] of programs.entries()) {
      const inputs = program.samples(OTHER, size);
      const outputs = tf.tidy(() => program.run(inputs));
      const [given, got] = [join(dir, `tf-in-${k}.safetensors`), join(dir, `tf-out-${k}.safetensors`)];
      await writeSafetensors(given, await arraysOf(inputs));
      expected.push([`${part} ${program.signature}`, got, await arraysOf(outputs)]);
      words.push(join(dir, 'saved', part), program.signature, given, got);
      tf.dispose([inputs, outputs]);
    }
    detector.model.dispose();
    masker.model.dispose();
    runPython(tensorflow as string, ['tools/parity/saved_model.py', ...words]);
    for (const [title, file, arrays] of expected) await compare(`SavedModel in Python, ${title}`, file, arrays, 1e-4);
  });

  itUnless(pythonMissing('reference'), 'takes the request that is documented', async () => {
    const domain = phantomDomains['standard'] as PhantomDomain;
    const { image } = await new PhantomDataset({ size: 1, seed: 3, width: 120, height: 90, domain }).load(0);
    writeFileSync(join(dir, 'scan.png'), await encodePng(image));
    const request = join(dir, 'request.json');
    const prompt = 'cyst. kidney.';
    runPython(reference as string, [
      'tools/serving/request.py',
      join(dir, 'saved'),
      join(dir, 'scan.png'),
      prompt,
      '--save',
      request,
    ]);
    const answer = runPython(tensorflow as string, ['tools/serving/check_request.py', join(dir, 'saved', 'detector'), request]);
    expect(answer).toMatch(/logits \[1, \d+, \d+\] float32\npred_boxes \[1, \d+, 4\] float32\nbest box \[/);
  });
});

describeUnless(pythonMissing('reference'), 'an exported folder in transformers and PEFT', () => {
  /** What our own forward pass says to the same file. */
  async function ours(models: { model: string; adapter?: string }, inputs: string): Promise<Map<string, NamedArray>> {
    const outputs = join(dir, 'ours.safetensors');
    await rawForward({ ...models, inputs, outputs });
    return new Map((await readSafetensors(outputs)).arrays);
  }

  it('opens unchanged and gives the same', async () => {
    const base = join(dir, 'base');
    mkdirSync(base);
    for (const name of ['config.json', 'model.safetensors'])
      copyFileSync(fixturePath('grounding-dino-four-levels', name), join(base, name));
    for (const name of ['tokenizer.json', 'tokenizer_config.json'])
      copyFileSync(join('weights/nano-grounding-dino', name), join(base, name));
    const sam = join(dir, 'sam');
    await cp(fixturePath('sam-windows'), sam, { recursive: true });
    const adapted = { detector: base, adapter: await adapterFor(base) };
    await exportModel({ ...adapted, masker: NANO.masker }, { form: 'safetensors', to: join(dir, 'merged') });
    await exportModel({ ...adapted, masker: NANO.masker }, { form: 'peft', to: join(dir, 'peft') });
    await exportModel({ ...NANO, masker: sam }, { form: 'safetensors', to: join(dir, 'nano') });

    const golden = (await readSafetensors(fixturePath('grounding-dino-four-levels', 'case.safetensors'))).arrays;
    const names = ['pixel_values', 'pixel_mask', 'input_ids', 'attention_mask', 'token_type_ids'];
    const given = new Map(names.map((name) => [name, golden.get(`in.${name}`) as NamedArray]));
    const detectorInputs = join(dir, 'detector-in.safetensors');
    await writeSafetensors(detectorInputs, given);
    const nanoInputs = await detectorFile(NANO.detector, join(dir, 'nano-in.safetensors'));
    const sam2Inputs = await maskerFile(NANO.masker, join(dir, 'sam2-in.safetensors'));
    const samInputs = await maskerFile(sam, join(dir, 'sam-in.safetensors'));
    const cases = [
      ['detector', join(dir, 'merged', 'detector'), detectorInputs, '-', { model: base, adapter: adapted.adapter }],
      ['peft', join(dir, 'peft', 'detector'), detectorInputs, base, { model: base, adapter: adapted.adapter }],
      ['detector', join(dir, 'nano', 'detector'), nanoInputs, '-', { model: NANO.detector }],
      ['masker', join(dir, 'merged', 'masker'), sam2Inputs, '-', { model: NANO.masker }],
      ['masker', join(dir, 'nano', 'masker'), samInputs, '-', { model: sam }],
    ] as const;
    const outputs = cases.map((_, k) => join(dir, `torch-out-${k}.safetensors`));
    const words = cases.flatMap(([kind, folder, inputs, below], k) => [kind, folder, inputs, outputs[k] as string, below]);
    runPython(reference as string, ['tools/parity/exported.py', ...words]);
    const plain = await ours({ model: base }, detectorInputs);
    const tuned = await ours(cases[1][4], detectorInputs);
    const moved = relativeError(
      tuned.get('pred_boxes')?.data as ArrayLike<number>,
      plain.get('pred_boxes')?.data as ArrayLike<number>,
    );
    process.stderr.write(`the adapter moves boxes by ${moved.toExponential(1)} of the largest\n`);
    expect(moved).toBeGreaterThan(0.01);
    for (const [k, [kind, folder, inputs, , models]] of cases.entries()) {
      const title = `${kind} ${folder.slice(dir.length + 1)} in Python`;
      await compare(title, outputs[k] as string, await ours(models, inputs), 1e-3);
    }
  });

  /** The paper's adapter, box heads trained whole, with values that change the answers. */
  async function adapterFor(base: string): Promise<string> {
    const { model } = await loadDetector(base);
    const spec = { ...(loraPresets['paper'] as LoraSpec), rank: 3, alpha: 5 };
    applyLora(model, spec, Rng.seeded(1));
    for (const [k, parameter] of model.trainableParameters().entries()) {
      const noise = tf.randomNormal([...parameter.shape], 0, 0.05, 'float32', 100 + k);
      const moved = parameter.value.add(noise);
      parameter.assign(moved);
      tf.dispose([noise, moved]);
    }
    await saveAdapter(model, join(dir, 'adapter'), spec);
    model.dispose();
    return join(dir, 'adapter');
  }

  /** Inputs in transformers' layout, written to a file. */
  async function detectorFile(model: string, file: string): Promise<string> {
    const parts = await loadDetector(model);
    const { pixel_values, ...rest } = detectorProgram(parts, { height: 128, width: 128, textLength: 16 }).samples(OTHER, 2);
    const inputs = { ...rest, pixel_values: (pixel_values as tf.Tensor).transpose([0, 3, 1, 2]) };
    await writeSafetensors(file, await arraysOf(inputs as Record<string, tf.Tensor>));
    tf.dispose([inputs, pixel_values as tf.Tensor]);
    parts.model.dispose();
    return file;
  }

  async function maskerFile(model: string, file: string): Promise<string> {
    const parts = await loadMasker(model);
    const [encode, boxes] = maskerPrograms(parts, { points: 2 }) as [Program, Program];
    const { pixel_values } = encode.samples(OTHER, 1) as { pixel_values: tf.Tensor };
    const { input_boxes, ...features } = boxes.samples(OTHER, 2) as Record<string, tf.Tensor>;
    const inputs = { pixel_values: pixel_values.transpose([0, 3, 1, 2]), input_boxes: input_boxes as tf.Tensor };
    await writeSafetensors(file, await arraysOf(inputs));
    tf.dispose([inputs, pixel_values, features]);
    parts.model.dispose();
    return file;
  }
});

it('names the scripts that are there', () => {
  for (const name of ['parity/exported.py', 'parity/saved_model.py', 'serving/request.py', 'serving/check_request.py'])
    expect(readFileSync(join('tools', name), 'utf8')).toContain('Usage: python');
});
