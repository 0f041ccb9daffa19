import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { formerly, loadConfig } from '../../src/config/index.js';
import { ConfigError } from '../../src/util/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('former-names');
const file = join(dir, 'run.yaml');

const schema = z.strictObject({
  eval: z
    .strictObject({
      threshold: formerly({ key: 'boxThreshold' }, z.number().default(0.3)),
      select: formerly({ values: { best: 'best-per-phrase' } }, z.enum(['all', 'best-per-phrase']).default('all')),
    })
    .prefault({}),
});

async function load(yaml: string, overrides: string[] = []) {
  await writeFile(file, yaml);
  const notices: string[] = [];
  const logger = { info: (line: string) => void notices.push(line), warn: () => {} };
  const config = await loadConfig(file, schema, overrides, logger);
  return { ...config.eval, notices };
}

describe('earlier names of settings', () => {
  it('are read as the present ones, which one line says', async () => {
    expect(await load('eval:\n  boxThreshold: 0.1\n  select: best\n')).toEqual({
      threshold: 0.1,
      select: 'best-per-phrase',
      notices: [`${file}: eval.boxThreshold is now called eval.threshold; eval.select: best is now called best-per-phrase`],
    });
  });

  it('cause no notice where they are not used', async () => {
    expect(await load('eval:\n  threshold: 0.1\n')).toEqual({ threshold: 0.1, select: 'all', notices: [] });
    expect((await load('')).notices).toEqual([]);
  });

  it.each([
    ['the former name over the current one', 'eval: {threshold: 0.1}', 'eval.boxThreshold=0.7'],
    ['the current name over the former one', 'eval: {boxThreshold: 0.1}', 'eval.threshold=0.7'],
    ['a mapping with the former name', 'eval: {threshold: 0.1}', 'eval={boxThreshold: 0.7}'],
  ])('may differ between file and override, and the override wins: %s', async (_name, yaml, override) => {
    const { threshold, notices } = await load(yaml, [override]);
    expect(threshold).toBe(0.7);
    expect(notices).toEqual([`${file}: eval.boxThreshold is now called eval.threshold`]);
  });

  it('are refused beside the present one, naming the line', async () => {
    const both = load('eval:\n  threshold: 0.1\n  boxThreshold: 0.2\n');
    await expect(both).rejects.toThrow(ConfigError);
    await expect(both).rejects.toThrow(/run\.yaml:3:3.*eval\.boxThreshold is the earlier name of eval\.threshold/);
  });

  it('keep their line in messages about the value', async () => {
    await expect(load('eval:\n  select: all\n  boxThreshold: [1]\n')).rejects.toThrow(/run\.yaml:3:3.*eval\.threshold: expected/);
    await expect(load('', ['eval.boxThreshold=no'])).rejects.toThrow(/--set eval\.boxThreshold=no.*eval\.threshold/);
  });
});
