import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { commands } from '../../src/cli/commands.js';
import { main } from '../../src/cli/main.js';

let dir: string;
let config: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sonoground-eval-cli-'));
  config = join(dir, 'tiny.yaml');
  await writeFile(
    config,
    `run: {dir: ${join(dir, 'run')}}\ndata: {format: phantom, phantom: {train: 2, val: 2, test: 2, size: {width: 64, height: 64}}}\n`,
  );
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Runs `eval` and returns its exit code and what it said, without letters of control. */
async function run(...args: string[]): Promise<{ code: number; said: string }> {
  let said = '';
  const listen = (stream: NodeJS.WriteStream) =>
    jest.spyOn(stream, 'write').mockImplementation((text) => {
      said += String(text);
      return true;
    });
  const spies = [listen(process.stdout), listen(process.stderr)];
  try {
    return { code: await main(['eval', ...args], commands), said };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

describe('npm run eval', () => {
  it('says both protocols, the files and what the prompts give away', async () => {
    const { code, said } = await run('--config', config);
    expect(said).toMatch(/phantom-standard: strict DSC \d+\.\d\d ± \d+\.\d\d %, IoU .*paper DSC/);
    expect(said).toContain('constant-mask baseline: DSC');
    expect(said).toContain('reveals the label');
    expect(said).toContain(join(dir, 'run', 'evaluation.html'));
    expect(code).toBe(0);
    const { test } = JSON.parse(await readFile(join(dir, 'run', 'metrics.json'), 'utf8'));
    expect(test).toMatchObject({ dsc: expect.any(Number), iou: expect.any(Number), n: 2 });
  });

  it.each([
    [['--table', '7'], 2, 'error: --table: there is no 7 to make. Choose from 2, 3, 4, 5, 6'],
    [['--table', 'three'], 2, '--table: there is no NaN to make'],
    [['--figure', '1'], 2, '--figure: there is no 1 to make'],
    [['--calibrate', '1.5'], 2, '--calibrate: 1.5 is not a rate'],
    [['--calibrate', 'often'], 2, '--calibrate: NaN is not a rate'],
    [['--prompt', ' . '], 2, '--prompt: it names nothing'],
    [['--negatives', '...'], 2, '--negatives: it names nothing'],
    [['--prompts', 'nowhere.yaml'], 2, '--prompts: there is no file nowhere.yaml'],
    [['--prompt', 'kidney. spleen'], 2, '--prompt: it does not ask for'],
    [['--predictions', 'nowhere'], 1, 'nowhere: there is no mask image in it'],
    [['--adapter', 'nowhere/best'], 1, 'nowhere/best/adapter_config.json: there is no such file. Name the folder of an adapter'],
    [['--medsam', 'nowhere/sam', '--table', '2', '--adapter', 'nowhere/best'], 1, 'nowhere'],
    [['--split', 'all'], 2, 'split'],
  ])('refuses %p with one line', async (args, exit, message) => {
    const { code, said } = await run('--config', config, ...args);
    expect(said).toContain(message);
    expect(said).not.toMatch(/\n\s+at /);
    expect(said.split('\n').filter((line) => line.startsWith('error:'))).toHaveLength(1);
    expect(code).toBe(exit);
  });
});
