import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { inputModel, inputPath, loadConfig, locateShipped } from '../../src/config/index.js';
import { expectError } from '../support/expect-error.js';

const schema = z.strictObject({
  root: inputPath().optional(),
  model: z.strictObject({ detector: inputModel().default('weights/nano-sam2') }).prefault({}),
  sets: z.array(z.strictObject({ from: inputPath() })).default([]),
  named: z.record(z.string(), inputPath()).default({}),
  probe: z.union([z.enum(['none']), z.strictObject({ coco: inputPath() })]).default('none'),
  /** No file is meant. */
  out: z.string().default('runs'),
});

const package_ = process.cwd();
let dir = '';
beforeAll(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'input-paths-')));
  for (const folder of ['project/configs', 'project/data', 'project/runs', 'elsewhere/data', 'elsewhere/mine', 'plain/data'])
    await mkdir(join(dir, folder), { recursive: true });
  process.chdir(join(dir, 'elsewhere'));
});
afterAll(async () => {
  process.chdir(package_);
  await rm(dir, { recursive: true });
});

async function load(file: string, values: object, overrides: readonly string[] = []) {
  await writeFile(join(dir, file), JSON.stringify(values));
  return loadConfig(join(dir, file), schema, overrides);
}

describe('paths in a configuration', () => {
  it('are found in the project of a configs/ folder, from any working directory', async () => {
    const values = { root: 'data', sets: [{ from: './data' }], named: { a: 'data' }, probe: { coco: 'data' }, out: 'runs' };
    const config = await load('project/configs/run.yaml', values);
    const data = join(dir, 'project', 'data');
    expect(config).toMatchObject({ root: data, sets: [{ from: data }], named: { a: data }, probe: { coco: data } });
    // What is written is written where one is.
    expect(config.out).toBe('runs');
  });

  it('are found beside a file in any other folder', async () => {
    expect((await load('plain/run.yaml', { root: 'data' })).root).toBe(join(dir, 'plain', 'data'));
  });

  it('are found in the working directory where they are not beside the file', async () => {
    expect((await load('project/configs/run.yaml', { root: 'mine' })).root).toBe('mine');
  });

  it('are those of the working directory when they are typed', async () => {
    const { root, probe } = await load('project/configs/run.yaml', { root: 'x' }, ['root=data', 'probe={coco: data}']);
    expect([root, probe]).toEqual(['data', { coco: 'data' }]);
  });

  it('stay as they are where nothing is there, and where they are absolute', async () => {
    expect((await load('plain/run.yaml', { root: 'none/at/all' })).root).toBe('none/at/all');
    expect((await load('plain/run.yaml', { root: join(dir, 'x') })).root).toBe(join(dir, 'x'));
  });

  it('reach into the package, typed or written, but for models, which keep their name', async () => {
    const file = 'plain/run.yaml';
    const examples = join(package_, 'examples', 'hc18');
    expect((await load(file, { root: 'examples/hc18' })).root).toBe(examples);
    expect((await load(file, {}, ['root=examples/hc18'])).root).toBe(examples);
    const { model } = await load(file, { model: { detector: 'weights/nano-grounding-dino' } });
    expect(model.detector).toBe('weights/nano-grounding-dino');
    expect((await load(file, { model: { detector: 'data' } })).model.detector).toBe(join(dir, 'plain', 'data'));
  });

  it('of the package are its own, though the working directory has a folder of that name', async () => {
    await mkdir('examples/hc18', { recursive: true });
    const given = await loadConfig(
      join(package_, 'configs/examples.yaml'),
      z.looseObject({ data: z.looseObject({ root: inputPath() }) }),
    );
    expect(given.data.root).toBe(join(package_, 'examples', 'hc18'));
    await rm('examples', { recursive: true });
  });
});

describe('files of the package', () => {
  it('are found by their name from anywhere', async () => {
    expect(await locateShipped('configs/stu.yaml')).toBe(join(package_, 'configs', 'stu.yaml'));
    await expectError(loadConfig('configs/stu.yaml', z.looseObject({ task: z.string() })), {
      code: 'E_CONFIG_VALUE',
      where: join(package_, 'configs', 'stu.yaml'),
    });
  });

  it('do not stand before those of the working directory', async () => {
    await mkdir('configs');
    await writeFile('configs/stu.yaml', '');
    expect(await locateShipped('configs/stu.yaml')).toBe('configs/stu.yaml');
    await rm('configs', { recursive: true });
  });

  it.each(['package.json', 'configs/../package.json', '../configs/stu.yaml', 'configs/none.yaml', resolve('configs/none'), ''])(
    'leaves %j unresolved',
    async (name) => {
      expect(await locateShipped(name)).toBe(name);
    },
  );
});
