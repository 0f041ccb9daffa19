import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import type { CocoResult } from '../../src/infer/index.js';
import { readSafetensors, writeSafetensors } from '../../src/weights/formats/index.js';
import { leakOf } from '../support/backend.js';
import { runCommand } from '../support/command.js';
import { relativeError } from '../support/compare.js';
import { fixturePath } from '../support/golden.js';
import { writeSmallPhantoms } from '../support/phantom-files.js';
import { describeWebgpu, webgpuMissing } from '../support/webgpu.js';

/** A software adapter compiles some two hundred programs at first. */

const missing = await webgpuMissing();

let dir = '';
let images: string[] = [];
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sonoground-webgpu-'));
  images = await writeSmallPhantoms(dir);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const at = (...names: string[]) => join(dir, ...names);
const json = async <T>(...names: string[]) => JSON.parse(await readFile(at(...names), 'utf8')) as T;
const unfinished = async (name: string) =>
  (await readdir(at(name), { recursive: true })).filter((file) => /\.(tmp|link)$/.test(file));

/** Runs a command that is to come out well. */
async function run(...words: string[]): Promise<string> {
  const { code, text } = await runCommand(words);
  expect([code, text]).toEqual([0, expect.any(String)]);
  return text;
}

/** On two images, so that one can be done and the other not. */
const infer = (backend: string, out: string, paths: readonly string[] = images) => [
  ...['infer', '--backend', backend, '--out', at(out), '--threshold', '0.05', '--prompt', 'lesion. cyst.'],
  ...['--image', ...paths],
];

const train = (backend: string, out: string, ...more: string[]) => [
  ...['train', '--backend', backend, '--config', 'configs/phantom.yaml', ...more],
  '--set',
  'lora={preset: paper, rank: 16, alpha: 16}',
  ...['data.phantom.domain=shifted', 'train.learningRate=2.5e-3', 'train.clipNorm=0.5'],
  `run.dir=${at(out)}`,
  ...['train', 'val', 'test'].map((part) => `data.phantom.${part}=1`),
  ...['data.phantom.size.width=64', 'data.phantom.size.height=56'],
  ...['train.epochs=2', 'train.stepsPerEpoch=1', 'train.batchSize=1', 'train.checkpointEvery=1', 'train.workers=0'],
  ...['train.preflight=false', 'train.probe=none', 'train.schedule=constant', 'train.warmupSteps=0'],
];

/** Takes the device away as soon as it has computed something, while `body` runs. */
async function losingTheDevice<T>(body: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => {
    if (tf.getBackend() !== 'webgpu') return;
    const { device, pipelineCache } = tf.backend() as unknown as { device: GPUDevice; pipelineCache: object };
    if (Object.keys(pipelineCache).length > 20) device.destroy();
  }, 5);
  try {
    return await body();
  } finally {
    clearInterval(timer);
  }
}

describeWebgpu(missing, 'commands on WebGPU', () => {
  it('forward gives what it gives on the CPU', async () => {
    const model = fixturePath('mm-grounding-dino');
    const { arrays } = await readSafetensors(join(model, 'case.safetensors'));
    const names = ['pixel_values', 'pixel_mask', 'input_ids', 'attention_mask', 'token_type_ids'];
    const inputs = [...arrays].flatMap(([name, array]) =>
      names.includes(name.slice(3)) && name.startsWith('in.') ? [[name.slice(3), array] as const] : [],
    );
    await writeSafetensors(at('in.safetensors'), new Map(inputs));
    for (const backend of ['auto', 'webgpu'])
      await run('forward', '--backend', backend, '--model', model, '--inputs', at('in.safetensors'), '--outputs', at(backend));
    const [expected, actual] = [(await readSafetensors(at('auto'))).arrays, (await readSafetensors(at('webgpu'))).arrays];
    expect([...actual.keys()]).toEqual([...expected.keys()]);
    expect(actual.size).toBe(2);
    // Both are within the tolerance of a whole model of the reference; they were within 1e-6 of each other.
    for (const [name, { data }] of expected) expect(relativeError(actual.get(name)?.data ?? [], data)).toBeLessThan(1e-3);
  });

  it('infer finds what it finds on the CPU, and leaves no tensor behind', async () => {
    const one = images.slice(0, 1);
    await run(...infer('tensorflow', 'infer-cpu', one));
    expect(await leakOf(() => run(...infer('webgpu', 'infer-gpu', one)))).toBe(0);
    const [expected, actual] = [
      await json<CocoResult[]>('infer-cpu', 'results.json'),
      await json<CocoResult[]>('infer-gpu', 'results.json'),
    ];
    const names = (list: readonly CocoResult[]) => list.map(({ file_name, category }) => `${file_name}: ${category}`);
    expect(names(expected).length).toBeGreaterThan(2);
    expect(names(actual)).toEqual(names(expected));
    for (const [i, { bbox, score, area }] of actual.entries()) {
      const other = expected[i] as CocoResult;
      expect(relativeError(bbox, other.bbox)).toBeLessThan(1e-3);
      expect(Math.abs(score - other.score)).toBeLessThan(1e-4);
      expect(Math.abs(area - other.area)).toBeLessThanOrEqual(2); // pixels on the edge of a mask
    }
  });

  it('eval scores an image as on the CPU', async () => {
    const config = (backend: string, out: string) => [
      ...['eval', '--backend', backend, '--config', 'configs/phantom.yaml', '--set', `run.dir=${at(out)}`],
      ...['train', 'val', 'test'].map((part) => `data.phantom.${part}=1`),
      ...['data.phantom.size.width=64', 'data.phantom.size.height=56'],
    ];
    await run(...config('tensorflow', 'eval-cpu'));
    expect(await run(...config('webgpu', 'eval-gpu'))).toMatch(/strict DSC [\d.]+/);
    interface Metrics {
      readonly test: { readonly dsc: number; readonly iou: number; readonly n: number };
    }
    const [expected, actual] = [
      (await json<Metrics>('eval-cpu', 'metrics.json')).test,
      (await json<Metrics>('eval-gpu', 'metrics.json')).test,
    ];
    expect(actual.n).toBe(1);
    // Per cent; a pixel on the edge of a mask of some hundred makes half a one.
    expect(Math.abs(actual.dsc - expected.dsc)).toBeLessThan(0.5);
    expect(Math.abs(actual.iou - expected.iou)).toBeLessThan(0.5);
  });

  it('infer that loses the device reports it in one line, keeps finished images and can resume', async () => {
    await run(...infer('tensorflow', 'lost', images.slice(0, 1)));
    const before = await json<CocoResult[]>('lost', 'results.json');
    expect(before.length).toBeGreaterThan(0);
    const { code, text } = await losingTheDevice(() => runCommand(infer('webgpu', 'lost')));
    expect(code).toBe(1);
    const error = text.split('\n').filter((line) => line.startsWith('error'));
    expect(error).toEqual([expect.stringMatching(/^error: backend webgpu: the device was lost.*infer resumes by itself/)]);
    expect(text).not.toMatch(/^\s+at /m);
    expect(await json('lost', 'results.json')).toEqual(before);
    expect(await unfinished('lost')).toEqual([]);
    expect(await run(...infer('tensorflow', 'lost'))).toContain('1 done before');
    const names = (list: readonly CocoResult[]) => new Set(list.map(({ file_name }) => file_name));
    expect(names(await json<CocoResult[]>('lost', 'results.json'))).toEqual(new Set(['0.png', '1.png']));
  });

  it('train that loses the device says how to go on, and leaves what can be gone on from', async () => {
    await run(...train('tensorflow', 'run'));
    await rm(at('run', 'checkpoints', (await readdir(at('run', 'checkpoints'))).sort().at(-1) as string)); // as if stopped before
    const checkpoints = await readdir(at('run', 'checkpoints'));
    expect(checkpoints.length).toBe(1);
    const { code, text } = await losingTheDevice(() => runCommand(train('webgpu', 'run', '--resume')));
    expect(code).toBe(1);
    const error = text.split('\n').filter((line) => line.startsWith('error'));
    expect(error).toEqual([expect.stringMatching(/^error: backend webgpu: the device was lost.*train with --resume/)]);
    expect(await readdir(at('run', 'checkpoints'))).toEqual(checkpoints);
    expect(await unfinished('run')).toEqual([]);
    expect(await run(...train('tensorflow', 'run', '--resume'))).toMatch(/resumed at .*step 1, .*epoch 2\/2/s);
  });
});

/** The loss of each step that a run took. */
async function lossesOf(name: string): Promise<number[]> {
  const lines = (await readFile(at(name, 'log.jsonl'), 'utf8')).trim().split('\n');
  const entries = lines.map((line) => JSON.parse(line) as { readonly event: string; readonly total: number });
  return entries.filter(({ event }) => event === 'step').map(({ total }) => total);
}

const slow = process.env['SONOGROUND_SLOW'] === '1' ? undefined : 'it is in the slow tier';

describeWebgpu(missing ?? slow, 'training by command on WebGPU', () => {
  it('takes steps, writes checkpoints, resumes, and ends with the losses of the CPU', async () => {
    await run(...train('tensorflow', 'train-cpu'));
    await run(...train('webgpu', 'train-gpu'));
    await rm(at('train-gpu', 'checkpoints', (await readdir(at('train-gpu', 'checkpoints'))).sort().at(-1) as string));
    expect(await run(...train('webgpu', 'train-gpu', '--resume'))).toMatch(/resumed at .*step 1, .*epoch 2\/2.*test: DSC/s);
    const [expected, actual] = [await lossesOf('train-cpu'), await lossesOf('train-gpu')];
    expect(actual.length).toBe(2);
    // Where a gradient is next to nothing Adam makes a whole step of its sign, so that runs drift apart.
    for (const [i, loss] of actual.entries()) expect(Math.abs(loss / (expected[i] as number) - 1)).toBeLessThan(1e-2);
  });
});
