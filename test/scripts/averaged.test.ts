import { execFileSync } from 'node:child_process';
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from '@jest/globals';
import type { tf } from '../../src/backend/index.js';
import { loadDetector } from '../../src/pretrained/index.js';
import { type NamedArray, readSafetensors, writeSafetensors } from '../../src/weights/formats/index.js';
import { useBackend } from '../support/backend.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const MODEL = 'weights/nano-grounding-dino';
const tool = join('tools', 'real', 'averaged.mjs');
const dir = temporaryFolder('averaged');
const [tripled, state] = [join(dir, 'tripled'), join(dir, 'step-00000100.safetensors')];
const averaged = (...args: readonly string[]) =>
  execFileSync(process.execPath, [tool, ...args], { encoding: 'utf8', stdio: 'pipe' });
const threefold = (data: ArrayLike<number>) => Float32Array.from(data, (value) => 3 * value);

/** Weights of a folder, as stored. */
async function weightsOf(folder: string): Promise<ReadonlyMap<string, NamedArray>> {
  return (await readSafetensors(join(folder, 'model.safetensors'))).arrays;
}

beforeAll(async () => {
  const weights = [...(await weightsOf(MODEL))].map(
    ([name, { shape, data }]) => [name, { dtype: 'float32', shape, data: threefold(data) }] as const,
  );
  cpSync(MODEL, tripled, { recursive: true });
  await writeSafetensors(join(tripled, 'model.safetensors'), new Map(weights), { metadata: { format: 'pt' } });

  const { model } = await loadDetector(MODEL);
  const averages = new Map<string, NamedArray>();
  const seen = new Set<unknown>();
  for (const [path, parameter] of model.namedParameters()) {
    if (seen.has(parameter)) continue;
    seen.add(parameter);
    const value = parameter.value as tf.Tensor;
    averages.set(`ema.average.${path}`, { dtype: 'float32', shape: value.shape, data: threefold(await value.data<'float32'>()) });
  }
  await writeSafetensors(state, averages, {});
  model.dispose();
});

it.each([
  ['a model', tripled],
  ['the moving averages of a training state', state],
])('weights are averaged with those of %s', async (_, other) => {
  const to = join(dir, `with-${other === state ? 'state' : 'model'}`);
  averaged(to, MODEL, other);
  const [before, after] = [await weightsOf(MODEL), await weightsOf(to)];
  let compared = 0;
  for (const [name, { data }] of after) {
    if (name.includes('relative_position_index')) continue;
    compared++;
    expect(data).toEqual(Float32Array.from(before.get(name)?.data ?? [], (value) => 2 * value));
  }
  expect(compared).toBeGreaterThan(100);
  const { model } = await loadDetector(to);
  model.dispose();
});

it('weights of another model are refused, and so is a state without averages; nothing is written', async () => {
  const [foreign, none] = [join(dir, 'foreign.safetensors'), join(dir, 'none.safetensors')];
  const one: NamedArray = { dtype: 'float32', shape: [1], data: Float32Array.of(1) };
  await writeSafetensors(foreign, new Map([['ema.average.model.other', one]]), {});
  await writeSafetensors(none, new Map([['model.model.other', one]]), {});
  const to = join(dir, 'refused');
  expect(() => averaged(to, MODEL, foreign)).toThrow(/model\.other is no parameter/);
  expect(() => averaged(to, MODEL, none)).toThrow(/no moving averages/);
  expect(() => averaged(to, MODEL, 'weights/ultrasound-detector')).toThrow(/has no .*, which .* has|has the shape/);
  expect(() => averaged(to, MODEL)).toThrow(/usage/);
  expect(existsSync(to)).toBe(false);
});
