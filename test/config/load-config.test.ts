import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { loadConfig } from '../../src/config/index.js';
import { ConfigError } from '../../src/util/index.js';
import { expectError } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('config');
let file = '';
beforeAll(async () => {
  file = join(dir, 'run.yaml');
});

const schema = z.strictObject({
  name: z.string(),
  train: z
    .strictObject({
      epochs: z.int().positive().default(5),
      rate: z.number().positive().default(1e-3),
      sizes: z.array(z.strictObject({ width: z.int() })).default([]),
      kind: z.enum(['one', 'two']).default('one'),
    })
    .prefault({}),
  note: z.strictObject({ text: z.string() }).optional(),
});

const load = async (yaml: string, overrides: string[] = []) => {
  await writeFile(file, yaml);
  return loadConfig(file, schema, overrides);
};

/** Each line of the message, without the temporary folder. */
const problems = async (yaml: string, overrides: string[] = []) => {
  const error = await load(yaml, overrides).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigError);
  return (error as Error).message
    .replaceAll(`${dir}/`, '')
    .split('\n')
    .map((line) => line.trim());
};

describe('loadConfig', () => {
  it('fills in defaults', async () => {
    expect(await load('name: a\n')).toEqual({ name: 'a', train: { epochs: 5, rate: 1e-3, sizes: [], kind: 'one' } });
  });

  it.each<[string, unknown]>([
    ['a #b', 'a #b'],
    ['#5', '#5'],
    ['a: b', 'a: b'],
    ['- a', '- a'],
    ['*all', '*all'],
    ['&x y', '&x y'],
    ['!tag x', '!tag x'],
    ['@home', '@home'],
    ['a = b', 'a = b'],
    ['C:\\scans\\a', 'C:\\scans\\a'],
    ["it's", "it's"],
    ['  spaced  ', 'spaced'],
    ['"a #b"', 'a #b'],
    ["'5'", '5'],
    ['007x', '007x'],
    ['5', 5],
    ['-1e-3', -1e-3],
    ['true', true],
    ['', null],
    ['null', null],
    ['[a, "b #c", 3]', ['a', 'b #c', 3]],
    ['{a: 1}', { a: 1 }],
  ])('takes the override %j as a whole', async (text, value) => {
    await writeFile(file, 'x: 0\n');
    expect(await loadConfig(file, z.strictObject({ x: z.unknown() }), [`x=${text}`])).toEqual({ x: value });
  });

  it.each(['x=[a] #b', 'x="a" #b', 'x={a: 1 #}', 'x=[a', 'x="a'])(
    'refuses %s instead of dropping part of it',
    async (override) => {
      await writeFile(file, 'x: 0\n');
      await expectError(loadConfig(file, z.strictObject({ x: z.unknown() }), [override]), {
        code: 'E_CONFIG_SYNTAX',
        class: ConfigError,
      });
    },
  );

  it.each(['x', '=1', '.x=1', 'x.=1', 'x..y=1', 'x y=1'])('refuses %s, which names no existing key', async (override) => {
    await expectError(load('name: a\n', [override]), { code: 'E_CONFIG_SYNTAX', what: 'expected key.path=value' });
  });

  it('applies overrides in order, read as YAML, below what was not there as well', async () => {
    const overrides = [
      'train.epochs=7',
      'train.epochs=8',
      'train.sizes=[{width: 3}]',
      'note.text="a = b"',
      'train.sizes.0.width=4',
    ];
    expect(await load('name: a\ntrain: {epochs: 6}\n', overrides)).toEqual({
      name: 'a',
      train: { epochs: 8, rate: 1e-3, sizes: [{ width: 4 }], kind: 'one' },
      note: { text: 'a = b' },
    });
  });

  it('reports all problems together, each with its place', async () => {
    const yaml =
      'nmae: a\ntrain:\n  epochs: many\n  rate: -1\n  sizes:\n    - width: 3\n    - width: 4\n      zzzzzz: 5\n  kind: three\n';
    const lines = await problems(yaml);
    expect(lines[0]).toBe('run.yaml: 6 problems:');
    expect(lines).toContain('run.yaml:1:1 nmae: unknown key, did you mean name?');
    expect(lines.find((line) => line.startsWith('run.yaml:3:3 train.epochs: '))).toContain('expected');
    expect(lines.find((line) => line.startsWith('run.yaml:4:3 train.rate: '))).toContain('>0');
    expect(lines).toContain('run.yaml:8:7 train.sizes.1.zzzzzz: unknown key; known here: width');
    expect(lines.find((line) => line.startsWith('run.yaml:9:3 train.kind: '))).toContain('"one"|"two"');
    expect(lines.some((line) => line.startsWith('run.yaml name: expected string'))).toBe(true);
  });

  it('blames the override for what it has set', async () => {
    const [only] = await problems('name: a\n', ['train.epoch=3']);
    expect(only).toBe('--set train.epoch=3: train.epoch: unknown key, did you mean epochs?');
    expect((await problems('name: a\ntrain: {epochs: 3}\n', ['train.epochs=x']))[0]).toContain(
      '--set train.epochs=x: train.epochs: expected number',
    );
  });

  it.each([
    ['an override without a value', 'name: a', ['train.epochs'], '--set train.epochs: expected key.path=value'],
    ['an override that is not YAML', 'name: a', ['name=[1'], '--set name=[1: the value is not valid YAML'],
    ['an override with an unknown alias', 'name: a', ['name=[*x]'], '--set name=[*x]: the value is not valid YAML'],
    ['an unknown alias', 'name: *x', [], 'run.yaml: Unresolved alias'],
    ['a tab as indentation', 'train:\n\tepochs: 3', [], 'run.yaml:2:1: '],
    ['a duplicate key', 'name: a\nname: b', [], 'run.yaml:2:1: Map keys must be unique'],
    ['a list', '- a', [], 'run.yaml: the file: expected object'],
    ['an empty file', '', [], 'run.yaml: name: expected string'],
    ['a path below a scalar', 'name: a', ['name.first=b'], '--set name.first=b: name: expected string'],
  ])('refuses %s', async (_name, yaml, overrides, message) => {
    expect((await problems(yaml, overrides)).join('\n')).toContain(message);
  });

  it('names a missing file', async () => {
    await expectError(loadConfig(join(dir, 'none.yaml'), schema), { code: 'E_FILE_NOT_FOUND', where: join(dir, 'none.yaml') });
  });
});
