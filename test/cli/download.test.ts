import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { commands } from '../../src/cli/commands.js';
import { main } from '../../src/cli/main.js';
import { faults, noise, REPO, sha256 } from '../support/fake-hub.js';
import { FileHost } from '../support/file-host.js';
import { HubCase } from '../support/hub.js';
import { until } from '../support/until.js';

let at: HubCase;
let environment: NodeJS.ProcessEnv;
beforeEach(async () => {
  at = await new HubCase().start();
  environment = { ...process.env };
  Object.assign(process.env, { HF_ENDPOINT: at.hub.endpoint, HF_HUB_CACHE: at.cacheDir, HF_HOME: at.root });
  delete process.env['HF_TOKEN'];
});
afterEach(async () => {
  for (const name of ['HF_ENDPOINT', 'HF_HUB_CACHE', 'HF_HOME', 'HF_TOKEN'])
    if (environment[name] === undefined) delete process.env[name];
    else process.env[name] = environment[name];
  await at.stop();
});

/** Runs a command line and gives what it prints. */
async function run(...line: string[]): Promise<{ code: number; out: string; err: string }> {
  const text = { out: '', err: '' };
  const into = (key: 'out' | 'err') => (chunk: unknown) => {
    text[key] += String(chunk);
    return true;
  };
  const spies = [
    jest.spyOn(process.stdout, 'write').mockImplementation(into('out') as never),
    jest.spyOn(process.stderr, 'write').mockImplementation(into('err') as never),
  ];
  try {
    return { code: await main(['download', ...line], commands), ...text };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

describe('download', () => {
  it('ends with the folder, alone on standard output', async () => {
    const { code, out, err } = await run(REPO);
    expect(code).toBe(0);
    expect(out).toBe(`${at.snapshot}\n`);
    expect(err).toMatch(/^owner\/some-model at commit [0-9a-f]{40} \(main\)$/m);
    expect(err).toMatch(/^model\.safetensors, 0\.3 MB$/m);
    expect(err).toMatch(/MB\/s, model\.safetensors$/m);
    expect((await run(REPO)).out).toBe(out);
  });

  it('puts the files into a folder', async () => {
    const to = join(at.root, 'plain');
    const { out, err } = await run(REPO, '--to', to);
    expect(out).toBe(`${at.snapshot}\n`);
    expect(err).toContain(`copy: ${to}\n`);
    expect((await readdir(to)).sort()).toEqual(['config.json', 'model.safetensors']);
    await writeFile(join(at.root, 'file'), '');
    const before = at.hub.fileRequests;
    const refused = await run(REPO, '--to', join(at.root, 'file', 'x'));
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/^error: .*file.*: a part of the path is a file/);
    expect(at.hub.fileRequests).toBe(before);
  });

  it('lists the names', async () => {
    const { out, code } = await run('--list');
    expect(code).toBe(0);
    expect(out).toMatch(/^grounding-dino-tiny +689 MB +IDEA-Research\/grounding-dino-tiny@a2bb814$/m);
    expect(out).toMatch(/^sam2-hiera-base-plus .*@main$/m);
    expect(out).toMatch(/^grounding-dino-tiny .*\n {4}172 M parameters; licence: Apache-2\.0; trained on: Objects365/m);
    expect(out).toMatch(
      /^medsam2-us-heart .*wanglab\/MedSAM2@e4a6f35 MedSAM2_US_Heart\.pt\n.*RESTRICTED: research and education only/m,
    );
    expect(out).toMatch(
      /^universeg .*github:JJGO\/UniverSeg@weights\/universeg_v1_nf64_ss64_STA\.pt\n.*RESTRICTED: research only/m,
    );
    expect(out).toMatch(/^biomedparse .*\n.*RESTRICTED: non-commercial only/m);
    expect(out).toMatch(
      /^clip-tokenizer +1 MB +openai\/clip-vit-base-patch32@3d74acf merges\.txt\n {4}the tokenizer that biomedparse/m,
    );
    for (const name of [
      'grounding-dino-us-lora',
      'llmdet-base',
      'mm-grounding-dino-large-all',
      'sam2.1-hiera-large',
      'medsam2-latest',
    ])
      expect(out).toMatch(new RegExp(`^${name} `, 'm'));
    const folder = join(at.cacheDir, 'models--facebook--sam-vit-base');
    const commit = '70c1a07f894ebb5b307fd9eaaee97b9dfc16068f';
    await mkdir(join(folder, 'snapshots', commit), { recursive: true });
    await writeFile(join(folder, 'snapshots', commit, 'model.safetensors'), 'x');
    expect((await run('--list')).out).toMatch(/^sam-vit-base .*in the cache/m);
  });

  it('names a restriction before anything is fetched', async () => {
    const { err } = await run('medsam2-latest');
    expect(err).toContain('medsam2-latest: its use is restricted: research and education only (licence: CC BY-SA 4.0)');
    expect((await run(REPO)).err).not.toContain('restricted');
  });

  it('ends with the path of a file of another host, and prints a hash that nobody has published', async () => {
    const host = await new FileHost().start();
    process.env['SONOGROUND_GDRIVE'] = host.origin;
    try {
      const content = noise(5000, 4);
      host.files.set('/download?id=0123456789abcdef&export=download&confirm=t', content);
      const { code, out, err } = await run('gdrive:0123456789abcdef/samus.pth', '--to', join(at.root, 'plain'));
      expect(code).toBe(0);
      expect(out).toMatch(/files--gdrive--0123456789abcdef.samus\.pth\n$/);
      expect(err).toContain(`samus.pth, 5000 bytes, SHA-256 ${sha256(content)}`);
      expect(err).toContain('give it as --sha256 next time');
      expect((await readFile(join(at.root, 'plain', 'samus.pth'))).equals(content)).toBe(true);
      const verified = await run('gdrive:0123456789abcdef/samus.pth', '--sha256', sha256(content));
      expect(verified.err).not.toContain('next time');
    } finally {
      host.stop();
      delete process.env['SONOGROUND_GDRIVE'];
    }
  });

  it('compares one file of the hub with a hash of the user’s, before it is copied', async () => {
    const to = join(at.root, 'hashed');
    const own = sha256(at.hub.files.get('config.json') as Buffer);
    const other = await run(REPO, '--file', 'config.json', '--sha256', 'a'.repeat(64), '--to', to);
    expect([other.code, other.err]).toEqual([1, expect.stringMatching(/expected the SHA-256 aaaa.*, got .*E_HUB_CHECKSUM/)]);
    expect(await readdir(to)).toEqual([]);
    expect((await run(REPO, '--file', 'config.json', '--sha256', own, '--to', to)).code).toBe(0);
    expect(await readdir(to)).toEqual(['config.json']);
    expect((await run(REPO, '--file', 'config.json', '--sha256', 'short')).code).toBe(2);
  });

  it('explains itself', async () => {
    const { out } = await run('--help');
    expect(out).toContain('npx sonoground download grounding-dino-tiny');
    expect(out).toContain('HF_ENDPOINT');
  });

  it.each([
    ['no name', [], 2, 'no model is named'],
    ['an unknown name', ['sam2.1-hiera-tinny'], 2, 'did you mean sam2.1-hiera-tiny?'],
    ['a hash for a model of the hub', [REPO, '--sha256', 'a'.repeat(64)], 2, '--sha256: it is the hash of one file'],
    ['an incomplete address of another host', ['github:owner/repo'], 2, 'expected github:OWNER/REPO@TAG/FILE'],
    ['a path out of the cache', ['gdrive:0123456789ab/..'], 2, 'expected github:OWNER/REPO@TAG/FILE or gdrive:ID/FILE'],
    ['a path', ['../model'], 2, 'expected owner/repo'],
    ['a missing file', [REPO, '--file', 'none.json'], 1, 'it has no none.json'],
  ])('refuses %s in one line', async (_name, line, code, said) => {
    const seen = await run(...line);
    expect(seen.code).toBe(code);
    expect(seen.err.trimEnd().split('\n').at(-1)).toMatch(/^error: /);
    expect(seen.err).not.toMatch(/^\s+at /m);
    expect(seen.err).toContain(said);
  });

  it('without a network is a line', async () => {
    at.hub.stop();
    const { code, out, err } = await run(REPO);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(
      /^error: owner\/some-model: it is needed from http:[^\n]*refuses the connection[^\n]*HF_ENDPOINT[^\n]*\n$/,
    );
  });
});

describe('a killed download', () => {
  const script = fileURLToPath(new URL('../../scripts/run.mjs', import.meta.url));
  // The sandbox of the tests has an environment of its own, which children do not inherit.
  const begin = (): ChildProcess =>
    spawn(process.execPath, [script, 'download', REPO], { stdio: ['ignore', 'pipe', 'pipe'], env: process.env });

  async function printed(child: ChildProcess): Promise<string> {
    let text = '';
    child.stdout?.on('data', (chunk) => {
      text += String(chunk);
    });
    await once(child, 'close');
    return text;
  }

  it('resumes', async () => {
    const weights = noise(600_000, 3);
    at.hub.files.set('model.safetensors', weights);
    at.hub.faults.storage.push(faults.stall(400_000));
    const first = begin();
    await until(async () => (await partialSize()) === 400_000);
    first.kill('SIGKILL');
    expect(await printed(first)).toBe('');
    expect(await at.unfinished()).toHaveLength(1);
    expect(await printed(begin())).toBe(`${at.snapshot}\n`);
    expect(at.hub.storage.map(({ range }) => range)).toEqual([undefined, 'bytes=400000-']);
    expect(at.hub.storage[1]?.sent).toBe(200_000);
    expect((await readFile(join(at.snapshot, 'model.safetensors'))).equals(weights)).toBe(true);
    expect(await at.unfinished()).toEqual([]);
  });

  async function partialSize(): Promise<number> {
    const [name] = await at.unfinished();
    return name === undefined ? 0 : (await readFile(join(at.root, name)).catch(() => '')).length;
  }
});
