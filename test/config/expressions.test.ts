import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import { z } from 'zod';
import { loadConfig } from '../../src/config/index.js';
import { runConfigSchema } from '../../src/train/index.js';

let dir = '';
let file = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sonoground-expressions-'));
  file = join(dir, 'run.yaml');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const schema = z.strictObject({
  prompt: z.string().default('a + b'),
  day: z.string().optional(),
  kind: z.union([z.enum(['none', 'strong']), z.strictObject({ flip: z.number(), name: z.string() })]).default('none'),
  id: z.union([z.int(), z.string()]).optional(),
  on: z.boolean().default(false),
  train: z
    .strictObject({
      batchSize: z.int().positive().default(4),
      learningRate: z.number().positive().default(5e-4),
      warmup: z.int().nonnegative().optional(),
      range: z.tuple([z.number(), z.number()]).optional(),
      groups: z.array(z.strictObject({ match: z.string(), rate: z.number() })).default([]),
      weights: z.record(z.string(), z.number()).default({}),
    })
    .prefault({}),
});

const load = async (yaml: string, overrides: readonly string[] = []) => {
  await writeFile(file, yaml);
  return loadConfig(file, schema, overrides);
};

const failure = async (yaml: string, overrides: readonly string[] = []) => {
  const error = await load(yaml, overrides).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Error);
  return (error as Error).message.replaceAll(`${dir}/`, '');
};

const rate = async (expression: string) =>
  (await load(`train: {learningRate: ${JSON.stringify(expression)}}\n`)).train.learningRate;

describe('an expression where a number is wanted', () => {
  it.each<[string, number]>([
    ['5e-4 * train.batchSize / 4', 5e-4],
    ['2 + 3 * 4', 14],
    ['(2 + 3) * 4', 20],
    ['10 - 4 - 3', 3],
    ['24 / 4 / 3', 2],
    ['2 ^ 3 ^ 2', 512],
    ['3 - -2', 5],
    ['-2^2 + 5', 1],
    ['2^-2', 0.25],
    ['+.5 * 3.', 1.5],
    ['1/3', 1 / 3],
    ['1.05e-2*100', 1.05],
    ['  train.batchSize ', 4],
    ['train . batchSize * 2', 8],
  ])('%s is %d', async (expression, value) => {
    expect(await rate(expression)).toBeCloseTo(value, 12);
  });

  it('takes settings from the file, from overrides and from defaults', async () => {
    const yaml = 'train:\n  learningRate: 5e-4 * train.batchSize / 4 # scaled\n';
    expect((await load(yaml)).train.learningRate).toBeCloseTo(5e-4);
    expect((await load(`${yaml}  batchSize: 16\n`)).train.learningRate).toBeCloseTo(2e-3);
    expect((await load(`${yaml}  batchSize: 16\n`, ['train.batchSize=32'])).train.learningRate).toBeCloseTo(4e-3);
    expect((await load('{}', ['train.learningRate=1e-3 * train.batchSize'])).train.learningRate).toBeCloseTo(4e-3);
    expect((await load('{}', ['train.warmup=(train.batchSize + 1) * 2'])).train.warmup).toBe(10);
  });

  it('may stand in a list, a tuple, a table and a choice of kinds, and may use others', async () => {
    const { train, kind } = await load(`
kind: {flip: 1 / 4, name: 1 / 4}
train:
  batchSize: 2 * 8
  learningRate: train.weights.a / 100
  range: [0, 2 * train.batchSize]
  groups: [{match: 2 * 3, rate: train.learningRate / 10}]
  weights: {a: train.batchSize + 1}
`);
    expect(kind).toEqual({ flip: 0.25, name: '1 / 4' });
    expect(train).toMatchObject({ batchSize: 16, range: [0, 32], weights: { a: 17 } });
    expect(train.learningRate).toBeCloseTo(0.17, 12);
    expect(train.groups[0]?.match).toBe('2 * 3');
    expect(train.groups[0]?.rate).toBeCloseTo(0.017, 12);
  });

  it.each(['2024-01-02', 'runs/stu', 'cyst + mass', '2 * 3', 'train.batchSize', '5e-4', '1/2', '(a)'])(
    'keeps %s as text where text is expected or allowed',
    async (text) => {
      const quoted = JSON.stringify(text);
      const { prompt, day, id } = await load(`prompt: ${quoted}\nday: ${quoted}\nid: ${quoted}\n`);
      expect([prompt, day, id]).toEqual([text, text, text]);
      if (text !== '5e-4') expect((await load('{}', [`prompt=${text}`])).prompt).toBe(text);
    },
  );
});

describe('an expression is refused', () => {
  it.each<[string, string]>([
    ['sqrt(4)', '"sqrt(4)" is more than numbers'],
    ['train.batchSize(2)', '"train.batchSize(2)" is more than numbers'],
    ['x = 5', '"=" is not one of'],
    ['f(x) = 5', '"=" is not one of'],
    ['1; 2', '";" is not one of'],
    ['train["batchSize"]', '"[" is not one of'],
    ['"a" + 1', '"\\"" is not one of'],
    ['`1`', '"`" is not one of'],
    ['2 % 3', '"%" is not one of'],
    ['5!', '"!" is not one of'],
    ['1,5', '"," is not one of'],
    ['12:30', '":" is not one of'],
    ['50%', '"%" is not one of'],
    ['1 > 2', '">" is not one of'],
    ['２ * 3', '"２" is not one of'],
    ['2 mod 3', '"2 mod 3" is more than numbers'],
    ['5 cm', 'an operator is missing in "5 cm"'],
    ['2 train.batchSize', 'an operator is missing'],
    ['(2)(3)', 'an operator is missing'],
    ['1_000', 'an operator is missing'],
    ['1\n2', '"1\\n2" is more than numbers'],
    ['true + 1', '"true" is more than numbers'],
    ['2 *', 'it cannot be read'],
    ['(2 + 3', 'it cannot be read'],
    ['1.2.3', 'it cannot be read'],
    ['2024-01-02', 'it reads like a date'],
    ['2024-12-13', 'it reads like a date'],
    ['0x1F * 2', '0x1F is not a decimal number'],
    ['007 + 1', '007 is not a decimal number'],
    ['9^9^9', 'it has no finite value (Infinity)'],
    ['10^400 - 10^400', 'it has no finite value (NaN)'],
    ['1e999', 'it has no finite value (Infinity)'],
    ['1 / 0', 'it has no finite value'],
    ['(-8)^(1/3)', 'it has no finite value (NaN)'],
    [`${'('.repeat(150)}1${')'.repeat(150)}`, 'it has 301 characters, of at most 200'],
    ['pi * 2', 'there is no setting pi'],
    ['__proto__.x + 1', 'there is no setting __proto__.x'],
    ['train.constructor.name', 'there is no setting train.constructor.name'],
    ['train.toString * 1', 'there is no setting train.toString'],
    ['prompt.length + 1', 'there is no setting prompt.length'],
    ['train.batchsize * 2', 'there is no setting train.batchsize, did you mean train.batchSize?'],
    ['batchSize * 2', 'there is no setting batchSize'],
    ['train.warmup * 2', 'train.warmup is not set'],
    ['prompt * 2', 'prompt is not a number but "a + b"'],
    ['on * 2', 'on is not a number but false'],
    ['train * 2', 'train is not a number but an object'],
    ['train.groups * 2', 'train.groups is not a number but a list of 0'],
    ['train.learningRate * 2', 'it depends on itself: train.learningRate, train.learningRate'],
    ['process.exit(1)', '"process.exit(1)" is more than numbers'],
    ['import', 'expected number'],
    ['many', 'expected number'],
    ['', 'expected number'],
  ])('%j', async (expression, why) => {
    const message = await failure(`train:\n  learningRate: ${JSON.stringify(expression)}\n`);
    expect(message).toContain('run.yaml:2:3: train.learningRate: expected number, received ');
    expect(message).toContain(why);
    expect(message).not.toContain('problems');
  });

  it('with a cycle through other settings, which are all named', async () => {
    const lines = (
      await failure('train: {batchSize: train.warmup + 1, warmup: train.weights.a, weights: {a: 2 * train.batchSize}}\n')
    ).split('\n');
    expect(lines[0]).toBe('run.yaml: 3 problems:');
    for (const line of lines.slice(1))
      expect(line).toContain('it depends on itself: train.batchSize, train.warmup, train.weights.a, train.batchSize');
  });

  it('together with all other problems, by its place', async () => {
    const message = await failure('kind: {flip: f(2), name: a}\nother: 1\ntrain: {learningRate: 1 / 0}\n', [
      'train.batchSize=5 / 2',
    ]);
    const lines = message.split('\n').map((line) => line.trim());
    expect(lines).toHaveLength(5);
    expect(lines).toContain(
      'run.yaml:3:9 train.learningRate: expected number, received "1 / 0": it has no finite value (Infinity)',
    );
    expect(lines.find((line) => line.startsWith('run.yaml:1:8 kind.flip: expected number, received "f(2)": '))).toBeDefined();
    expect(lines.find((line) => line.startsWith('--set train.batchSize=5 / 2 train.batchSize: '))).toMatch(
      /expected int.*\(5 \/ 2 is 2\.5\)$/,
    );
    expect(lines.find((line) => line.startsWith('run.yaml:2:1 other: unknown key'))).toBeDefined();
  });

  it('when what it needs is refused', async () => {
    const message = await failure('train: {batchSize: f(1), learningRate: train.batchSize / 2}\n');
    expect(message).toContain(
      'train.learningRate: expected number, received "train.batchSize / 2": train.batchSize has no value: ',
    );
  });

  it('in a time that does not grow with what it names', async () => {
    // Each is twice the next: computed again at every use, the first would take 2^60 steps.
    const weights = Array.from({ length: 60 }, (_, i) => `w${i}: train.weights.w${i + 1} + train.weights.w${i + 1}`);
    const { train } = await load(`train:\n  weights:\n${[...weights, 'w60: 1'].map((line) => `    ${line}\n`).join('')}`);
    expect(train.weights['w0']).toBe(2 ** 60);
  });
});

describe('the settings of a run', () => {
  it('evaluate to numbers, which the run folder records', async () => {
    await writeFile(
      file,
      'run: {dir: runs/stu-1}\ndata: {format: phantom, prompt: 2 - 1, root: runs/stu}\nlora: {rank: 2 * 8, alpha: lora.rank / 2, alphaPattern: {"**.q": lora.alpha * 2}}\nmodel: {imageSize: {square: 64 * 8}}\ntrain: {learningRate: 5e-4 * train.batchSize / 4, groups: [{match: "**", lrScale: 1 / 10}], augment: {flip: 1 / 2, zoom: {factor: [4 / 5, 5 / 4]}}}\n',
    );
    const config = await loadConfig(file, runConfigSchema, ['train.batchSize=2 ^ 3', 'train.epochs=train.batchSize']);
    expect(config.train).toMatchObject({
      batchSize: 8,
      epochs: 8,
      learningRate: 1e-3,
      groups: [{ match: '**', lrScale: 0.1 }],
      augment: { flip: 0.5, zoom: { factor: [0.8, 1.25] } },
    });
    expect(config.lora).toMatchObject({ rank: 16, alpha: 8, alphaPattern: { '**.q': 16 } });
    expect(config.model.imageSize).toEqual({ square: 512 });
    expect(config.data).toMatchObject({ prompt: '2 - 1', root: 'runs/stu' });
    expect(config.run.dir).toBe('runs/stu-1');
  });
});

describe('the parser of expressions', () => {
  it('is loaded only where there is one', async () => {
    const code = join(dir, 'a', 'config.mjs');
    // A folder of packages in which it is missing.
    for (const folder of ['a', 'node_modules']) mkdirSync(join(dir, folder));
    for (const name of readdirSync('node_modules').filter((own) => own !== 'mathjs'))
      symlinkSync(resolve('node_modules', name), join(dir, 'node_modules', name));
    await build({
      entryPoints: [resolve('src', 'config', 'index.ts')],
      outfile: code,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      logLevel: 'silent',
    });
    const run = (value: string) => {
      const script = `
        const { loadConfig } = await import(${JSON.stringify(code)});
        const { z } = await import(${JSON.stringify(resolve('node_modules', 'zod', 'index.js'))});
        const schema = z.strictObject({ a: z.number(), b: z.string() });
        console.log(JSON.stringify(await loadConfig(${JSON.stringify(file)}, schema, ['a=${value}'])));`;
      return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    };
    await writeFile(file, 'b: 2 * 3\n');
    expect(run('5').stdout.trim()).toBe('{"a":5,"b":"2 * 3"}');
    expect(run('5 + 1').stderr).toContain("Cannot find package 'mathjs'");
    expect(run('many').stderr).toContain('expected number');
  });
});
