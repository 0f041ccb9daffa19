import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeSafetensors } from '../../src/weights/formats/index.js';
import { emptyProject, installLinked, launcher, pack } from '../support/package.js';
import { describeUnless, notSlow } from '../support/skipped.js';
import { until } from '../support/until.js';

// The packed package in a project with nothing else in it, without a network: every command starts there, and works or says what it
// needs. The slow tier runs the rest of them for real.

/** Runs command lines in one process, which is many times faster than one process each. */
const DRIVER = `
import { commandGroups, commands } from './node_modules/sonoground/dist/cli/commands.js';
import { main } from './node_modules/sonoground/dist/cli/main.js';
const seen = [];
for (const words of JSON.parse(process.argv[3])) {
  let text = '';
  const streams = [process.stdout, process.stderr];
  const writes = streams.map((stream) => stream.write);
  for (const stream of streams) stream.write = (chunk) => { text += chunk; return true; };
  process.exitCode = 0;
  const code = (await main(words, commands, commandGroups)) || process.exitCode;
  streams.forEach((stream, i) => { stream.write = writes[i]; });
  seen.push({ code, text });
}
process.exitCode = 0;
process.stdout.write(JSON.stringify(seen));
`;

interface Seen {
  readonly code: number | null;
  readonly text: string;
}

/** As a person's terminal would start it: nothing of this run of tests, and of npm, comes through. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|JEST_|NODE_OPTIONS$)/.test(name)));

let dir = '';
let project = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sonoground-empty-'));
  project = emptyProject(dir);
  installLinked(project, pack(dir));
  writeFileSync(join(project, 'driver.mjs'), DRIVER);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function node(args: readonly string[]): Seen & { stdout: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: project, env: environment, encoding: 'utf8' });
  return { code: status, text: `${stdout}${stderr}`, stdout };
}

/** One command line as it is typed. */
const run = (...words: string[]): Seen => node([launcher(project), ...words]);

/** Several in one process. */
function each(lines: readonly (readonly string[])[]): Seen[] {
  const { code, text, stdout } = node(['driver.mjs', 'driver', JSON.stringify(lines)]);
  if (code !== 0) throw new Error(text);
  return JSON.parse(stdout);
}

/** A run that lasts seconds. */
const TINY = [
  ...['data.phantom.train=4', 'data.phantom.val=2', 'data.phantom.test=2'],
  ...['train.epochs=1', 'train.stepsPerEpoch=2', 'train.batchSize=2', 'train.probe=none', 'lora={preset: paper}'],
];

const COMMANDS = [
  ...['infer', 'merge', 'demo', 'train', 'eval', 'import-data', 'check-data', 'serve', 'download', 'export', 'forward', 'doctor'],
];

/** What cannot be done here, and what a person has to read then. */
const IMPOSSIBLE: readonly (readonly [name: string, words: readonly string[], said: string])[] = [
  ['infer', ['--image', 'none.png', '--prompt', 'cyst', '--out', 'x'], 'none.png: there is no such file'],
  ['merge', ['--from', 'none', '--to', 'x'], 'none/settings.json: there is no such file'],
  ['train', ['--config', 'configs/none.yaml'], 'one that comes with sonoground: configs/demo.yaml'],
  ['train', ['--config', 'configs/stu.yaml'], 'Name it in the file or with --set data.root=DIR'],
  ['eval', ['--config', 'runs/none/config.yaml'], 'runs/none/config.yaml: there is no such file'],
  ['import-data', ['--dataset', 'busi', '--from', 'none', '--to', 'x'], 'none: there is no such folder'],
  ['check-data', ['--data', 'none'], 'none'],
  ['serve', ['--model', 'none', '--port', '0'], '`npx sonoground download --list`'],
  ['download', [], '`npx sonoground download --list`'],
  ['export', ['--run', 'none', '--to', 'x', '--format', 'peft'], 'none: there is no such folder'],
  ['forward', ['--model', 'weights/nano-sam2', '--inputs', 'none', '--outputs', 'x'], 'none: there is no such file'],
];

describe('sonoground in an empty folder', () => {
  it('shows every command by purpose, and the same without any word', () => {
    const help = run('--help');
    expect(help.code).toBe(0);
    for (const name of ['setup', ...COMMANDS]) expect(help.text).toMatch(new RegExp(`^  ${name} `, 'm'));
    expect(help.text).not.toContain('npm run');
    const bare = run();
    expect([bare.code, bare.text]).toEqual([2, help.text]);
  });

  it('knows its own version, not that of the project around it', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(run('--version')).toMatchObject({ code: 0, text: `${version}\n` });
  });

  it('explains its set-up, and refuses what that does not take', () => {
    expect(run('setup', '--help')).toMatchObject({ code: 0, text: expect.stringContaining('--dry-run') });
    expect(run('setup', '--dry-run')).toMatchObject({ code: 0, text: 'nothing to do\n' });
    expect(run('setup', '--cudaa')).toMatchObject({ code: 1, text: expect.stringContaining('not --cudaa') });
  });

  it('has help for every command, with examples to paste', () => {
    const seen = each(COMMANDS.map((name) => [name, '--help']));
    for (const [i, name] of COMMANDS.entries()) {
      const { code, text } = seen[i] as Seen;
      expect([name, code]).toEqual([name, 0]);
      expect(text).toContain(`npx sonoground ${name}`);
      expect(text.slice(text.indexOf('\nExamples:'))).toContain(`  npx sonoground ${name}`);
      expect(text).not.toContain('npm run');
    }
  });

  it('names a wrong argument of every command, and where to read on', () => {
    const seen = each(COMMANDS.map((name) => [name, '--wrong', 'x']));
    for (const [i, name] of COMMANDS.entries()) {
      const { code, text } = seen[i] as Seen;
      // What is needed and not there may come first.
      expect([name, code, text]).toEqual([name, 2, expect.stringMatching(/unknown argument wrong|Missing required argument/)]);
      expect(text).toContain(`\`npx sonoground ${name} --help\``);
    }
  });

  it('reports for every command which requirement is missing', () => {
    const seen = each(IMPOSSIBLE.map(([name, words]) => [name, ...words]));
    for (const [i, [name, words, said]] of IMPOSSIBLE.entries()) {
      const { code, text } = seen[i] as Seen;
      expect([name, ...words, text]).toEqual([name, ...words, expect.stringContaining(said)]);
      expect(code).not.toBe(0);
      expect(text).not.toMatch(/npm run|^\s+at /m);
    }
  });

  it('segments an image that comes with it, and asks its own word lists and data', () => {
    const { code, text } = run('infer', '--image', 'examples/fetal-head-1.jpg', '--prompt', 'fetal head', '--out', 'out');
    expect([code, text]).toEqual([0, expect.stringMatching(/^1 image done/m)]);
    expect(existsSync(join(project, 'out', 'overlays', 'fetal-head-1.png'))).toBe(true);
    // One image of the 120; nothing has been trained here yet.
    const shard = run('eval', '--shard', '0/120', '--prompts', 'default');
    expect([shard.code, shard.text]).toEqual([0, expect.stringContaining('1 image predicted, stored in runs/examples')]);
  });

  it('trains by a configuration that comes with it, and evaluates and exports the run', () => {
    const trained = run('train', '--config', 'configs/phantom.yaml', '--set', 'run.dir=runs/tiny', ...TINY);
    expect([trained.code, trained.text]).toEqual([0, expect.stringContaining('metrics: runs/tiny/metrics.json')]);
    expect(readFileSync(join(project, 'runs', 'tiny', 'config.yaml'), 'utf8')).toContain('detector: weights/nano-grounding-dino');
    const judged = run('eval');
    expect([judged.code, judged.text]).toEqual([0, expect.stringMatching(/^runs\/tiny\/config\.yaml: test/m)]);
    const exported = run('export', '--run', 'runs/tiny', '--to', 'exported', '--format', 'peft');
    expect([exported.code, exported.text]).toEqual([0, expect.stringContaining('exported/manifest.json')]);
  });

  it('serves on this machine, points to images that are there, and stops', async () => {
    const server = spawn(process.execPath, [launcher(project), 'serve', '--port', '0'], { cwd: project, env: environment });
    try {
      let text = '';
      server.stderr.on('data', (chunk) => {
        text += chunk;
      });
      await until(() => /with their prompts: /.test(text) || server.exitCode !== null);
      const [, hint] = /with their prompts: (.*)\n/.exec(text) ?? [];
      expect(existsSync(join(project, hint ?? 'none')) || existsSync(hint ?? 'none')).toBe(true);
      const page = await fetch(/http:\S+/.exec(text)?.[0] ?? '');
      expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<html')]);
      server.kill('SIGTERM');
      expect(await once(server, 'exit')).toEqual([0, null]);
    } finally {
      server.kill('SIGKILL');
    }
  });
});

describeUnless(notSlow, 'the other commands in an empty folder', () => {
  it('imports and checks data by what comes with it', () => {
    const imported = run('import-data', '--dataset', 'coco', '--from', 'examples/usgra-seg', '--to', 'data/usgra');
    expect([imported.code, imported.text]).toEqual([0, expect.stringContaining('written to data/usgra')]);
    const own = run('check-data', '--data', 'data/usgra');
    expect([own.code, own.text]).toEqual([0, expect.stringContaining('data/usgra/audit.html')]);
    // Those of the package are not written into the package.
    const shipped = run('check-data', '--data', 'examples/usgra-seg');
    expect([shipped.code, shipped.text]).toEqual([0, expect.stringMatching(/^audit\.html, audit\.json$/m)]);
    expect(existsSync(join(project, 'node_modules', 'sonoground', 'examples', 'usgra-seg', 'audit.html'))).toBe(false);
  });

  it('merges the parts of a batch', () => {
    const infer = ['infer', '--image', 'examples/*.jpg', '--prompt', 'fetal head', '--out', 'batch', '--masker', 'none'];
    for (const part of ['0/2', '1/2']) expect(run(...infer, '--shard', part).code).toBe(0);
    const merged = run('merge', '--from', 'batch/shards/0-of-2', 'batch/shards/1-of-2', '--to', 'batch');
    expect([merged.code, merged.text]).toEqual([0, expect.stringMatching(/^4 images/m)]);
  });

  it('runs a forward pass of a model that comes with it', async () => {
    const pixels = Float32Array.from({ length: 3 * 128 * 128 }, (_, i) => Math.sin(i / 97));
    const box = Float32Array.of(20, 30, 90, 100);
    const inputs = new Map([
      ['pixel_values', { dtype: 'float32' as const, shape: [1, 3, 128, 128], data: pixels }],
      ['input_boxes', { dtype: 'float32' as const, shape: [1, 1, 4], data: box }],
    ]);
    await writeSafetensors(join(project, 'in.safetensors'), inputs);
    const files = ['--inputs', 'in.safetensors', '--outputs', 'out.safetensors'];
    const { code, text } = run('forward', '--model', 'weights/nano-sam2', ...files);
    expect([code, text]).toEqual([0, expect.stringMatching(/^pred_masks \[1, 1, 1, 32, 32\]/m)]);
  });

  it('tells what it runs on', () => {
    expect(run('doctor')).toMatchObject({ code: 0, text: expect.stringMatching(/^backend /m) });
  });

  it('lists models without asking anybody', () => {
    expect(run('download', '--list')).toMatchObject({ code: 0, text: expect.stringContaining('grounding-dino-tiny') });
  });

  it('runs the demo, shortened, beside an examples/ of the project itself', () => {
    mkdirSync(join(project, 'examples'));
    const training = (name: string) => [`${name}.train.epochs=1`, `${name}.train.stepsPerEpoch=2`, `${name}.train.batchSize=2`];
    const { code, text } = run('demo', '--set', 'judged.most=2', ...training('detector'), ...training('masker'));
    expect([code, text]).toEqual([0, expect.stringContaining('report: runs/demo/report.html')]);
  });
});
