import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { tf } from '../../src/backend/index.js';
import { parseSam2Config, Sam2 } from '../../src/models/sam2/index.js';
import { Conv2d, ConvTranspose2d, Linear, Module, zeros } from '../../src/nn/index.js';
import { CheckpointError, Rng } from '../../src/util/index.js';
import { readSafetensors, writeSafetensors } from '../../src/weights/formats/index.js';
import { type LoadOptions, loadCheckpoint, saveCheckpoint } from '../../src/weights/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { fixtureJson, fixturePath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const dir = temporaryFolder('checkpoint');

/** Every layout, a module at two paths, and an adapter that belongs to no checkpoint. */
class Net extends Module {
  readonly conv = this.child('conv', new Conv2d(2, 3, { kernelSize: 2 }));
  readonly up = this.child('up', new ConvTranspose2d(4, 5, { stride: 2 }));
  readonly shared = this.child('head', new Linear(2, 3));
  readonly map = this.parameter('map', [1, 2, 3, 4], { init: zeros, layout: 'map' });
  readonly adapter = this.parameter('lora_A.weight', [1, 2], { init: zeros, adapter: true });

  constructor() {
    super();
    this.child('again', this.shared);
    this.initialise(Rng.seeded(4));
    this.map.initialise(Rng.seeded(5));
  }
}

/** Weights in torch's layouts; each element is its index. */
const TORCH_SHAPES: Record<string, number[]> = {
  'conv.weight': [3, 2, 2, 2],
  'conv.bias': [3],
  'up.weight': [4, 5, 2, 2],
  'up.bias': [5],
  'head.weight': [3, 2],
  'head.bias': [3],
  map: [1, 4, 2, 3],
};

async function stored(changes: Record<string, number[] | undefined> = {}, file = 'model.safetensors'): Promise<string> {
  const shapes = Object.entries({ ...TORCH_SHAPES, ...changes }).filter(
    (item): item is [string, number[]] => item[1] !== undefined,
  );
  const arrays = shapes.map(([name, shape]) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return [name, { dtype: 'float32' as const, shape, data: Float32Array.from({ length: size }, (_, i) => i) }] as const;
  });
  await writeSafetensors(join(dir, file), new Map(arrays));
  return join(dir, file);
}

async function problem(path: string, options?: LoadOptions): Promise<string> {
  const error = await loadCheckpoint(new Net(), path, options).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CheckpointError);
  return (error as Error).message;
}

describe('loadCheckpoint', () => {
  it("converts torch's layouts in memory", async () => {
    const net = new Net();
    await loadCheckpoint(net, await stored());
    const at = async (value: tf.Tensor, ...index: number[]) =>
      (
        await value
          .slice(
            index,
            index.map(() => 1),
          )
          .data()
      )[0];
    // [o, i, h, w] of [3, 2, 2, 2]: o 8 + i 4 + h 2 + w.
    expect(await at(net.conv.weight.value, 1, 0, 1, 2)).toBe(2 * 8 + 1 * 4 + 1 * 2 + 0);
    // [i, o, h, w] of [4, 5, 2, 2], in memory [h, w, o, i].
    expect(await at(net.up.weight.value, 0, 1, 3, 2)).toBe(2 * 20 + 3 * 4 + 0 * 2 + 1);
    // [n, c, h, w] of [1, 4, 2, 3], in memory [n, h, w, c].
    expect(await at(net.map.value, 0, 1, 2, 3)).toBe(3 * 6 + 1 * 3 + 2);
  });

  it('takes a shared module from any of its paths, and copies only if they are equal', async () => {
    const elsewhere = { 'head.weight': undefined, 'head.bias': undefined, 'again.weight': [3, 2], 'again.bias': [3] };
    await loadCheckpoint(new Net(), await stored(elsewhere));
    const twice = await stored({ 'again.weight': [3, 2] });
    await loadCheckpoint(new Net(), twice);
    const { arrays } = await readSafetensors(twice);
    const copy = arrays.get('again.weight')?.data as Float32Array;
    copy[3] = 9;
    await writeSafetensors(twice, arrays);
    expect(await problem(twice)).toContain('again.weight should be a copy of head.weight, but differs');
  });

  it('follows ties', async () => {
    const path = await stored({ 'old.3.weight': [3, 2], 'head.weight': undefined });
    const tied = [
      { copy: 'old.*', of: 'older' },
      { copy: 'older', of: 'head' },
    ];
    await loadCheckpoint(new Net(), path, { tied });
    expect(await problem(path)).toContain('1 unexpected: old.3.weight');
  });

  it('lists everything that does not fit at once', async () => {
    const message = await problem(
      await stored({ 'conv.bias': undefined, 'up.bias': undefined, 'conv.biass': [3], 'head.weight': [2, 3] }),
    );
    expect(message).toContain('1 unexpected: conv.biass (conv.biass may be conv.bias)');
    expect(message).toContain('2 missing: conv.bias, up.bias');
    expect(message).toContain('head.weight: expected shape [3, 2], got [2, 3]');
    expect(message).toContain(join(dir, 'model.safetensors'));
  });

  it('skips the keys that it is configured to ignore, and reports patterns without a match', async () => {
    const path = await stored({ 'video.memory.weight': [1] });
    expect(await problem(path)).toContain('video.memory.weight');
    await loadCheckpoint(new Net(), path, { ignore: ['video.**', 'audio.**'] });
    await loadCheckpoint(new Net(), path, { discard: ['video.**'] });
    expect(await problem(path, { discard: ['video.**', 'audio.**'] })).toContain('audio.**, to be discarded, fits no key');
  });

  it('reads shards, and says when they do not belong together', async () => {
    const all = Object.keys(TORCH_SHAPES);
    const first = new Set(all.slice(0, 3));
    const without = (keep: (name: string) => boolean) =>
      Object.fromEntries(all.filter((name) => !keep(name)).map((name) => [name, undefined]));
    await stored(
      without((name) => first.has(name)),
      'part-1.safetensors',
    );
    await stored(
      without((name) => !first.has(name)),
      'part-2.safetensors',
    );
    const index = join(dir, 'model.safetensors.index.json');
    const map = Object.fromEntries(all.map((name) => [name, first.has(name) ? 'part-1.safetensors' : 'part-2.safetensors']));
    await writeFile(index, JSON.stringify({ weight_map: map }));
    await rm(join(dir, 'model.safetensors'), { force: true });
    const net = new Net();
    expect(await leakOf(() => loadCheckpoint(net, dir))).toBe(0);
    expect((await net.map.value.data())[1]).toBe(6);
    await writeFile(index, JSON.stringify({ weight_map: { ...map, 'conv.bias': 'part-2.safetensors' } }));
    expect(await problem(dir)).toContain('part-2.safetensors has no conv.bias');
    await writeFile(index, JSON.stringify({ weight_map: { ...map, 'conv.bias': '../part-3.safetensors' } }));
    expect(await problem(dir)).toContain('it does not map keys to files beside it');
    await rm(index);
    expect(await problem(dir)).toContain('there are several files of weights: part-1.safetensors, part-2.safetensors. Name one');
    await Promise.all(['part-1', 'part-2'].map((part) => rm(join(dir, `${part}.safetensors`))));
    expect(await problem(dir)).toContain('there is neither model.safetensors nor any other file of weights');
  });
});

describe('saveCheckpoint', () => {
  it('writes each parameter once, without adapters, in the layouts of torch', async () => {
    const net = new Net();
    const path = await stored();
    await loadCheckpoint(net, path);
    const again = join(dir, 'again.safetensors');
    expect(await leakOf(() => saveCheckpoint(net, again))).toBe(0);
    const [written, original] = [await readSafetensors(again), await readSafetensors(path)];
    expect([...written.arrays]).toEqual([...original.arrays]);
  });

  it("gives the bytes of the reference's own file", async () => {
    const source = fixturePath('sam2-odd', 'model.safetensors');
    const model = new Sam2(parseSam2Config(fixtureJson('sam2-odd', 'config.json')));
    await loadCheckpoint(model, source);
    const path = join(dir, 'sam2.safetensors');
    await saveCheckpoint(model, path);
    expect(Buffer.compare(await readFile(path), await readFile(source))).toBe(0);
    model.dispose();
  });
});
