import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import nodeModule from 'node:module';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../support/temporary-folder.js';
import { makeZip } from './support/zip.js';

// The scripts are plain JavaScript without types.
const lib = (name: string) => import(pathToFileURL(resolve('scripts', 'lib', `${name}.mjs`)).href);

const dir = temporaryFolder('lib');

describe('versions', () => {
  const VERSIONS = ['9.3.0.75', '9.10.2.21', '10.0.0', '9.9', '9.11.0rc1'];

  it.each([
    ['<10.0,>=9.3.0.75', '9.10.2.21'],
    ['==9.9', '9.9'],
    ['==9.9.0', '9.9'],
    ['>9.3.0.75,<=9.9', '9.9'],
    ['>=9,!=10.0.0', '9.10.2.21'],
    ['>=11', undefined],
  ])('%s takes %s', async (specifier, expected) => {
    expect((await lib('versions')).newest(VERSIONS, specifier)).toBe(expected);
  });
});

describe('what CUDA needs', () => {
  it('is read off the metadata, line by line', async () => {
    const metadata = [
      'Requires-Dist: absl-py>=1.0.0',
      'Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"',
      "Requires-Dist: nvidia-nccl-cu12 (>=2.27.7,<3.0) ; extra == 'and-cuda'",
      'Requires-Dist: tensorflow-io-gcs-filesystem>=0.23.1; (python_version < "3.13") and extra == "gcs-filesystem"',
    ].join('\r\n');
    const found = (await lib('wheels')).cudaRequirements(metadata);
    expect(found.map(({ project, specifier }: Record<string, string>) => [project, specifier])).toEqual([
      ['nvidia-cublas-cu12', '<13.0,>=12.5.3.2'],
      ['nvidia-nccl-cu12', '>=2.27.7,<3.0'],
    ]);
  });
});

describe('unzip', () => {
  const FILES = [
    { name: 'a/packed.txt', data: Buffer.from('text '.repeat(1000)) },
    { name: 'a/stored.bin', data: Buffer.from([1, 2, 3]), stored: true },
    { name: 'empty', data: Buffer.alloc(0), stored: true },
  ];
  const all = (name: string) => name;

  it.each([false, true])('unpacks packed, stored and empty files (large fields: %s)', async (zip64) => {
    const file = join(dir, `good-${zip64}.zip`);
    writeFileSync(file, makeZip(FILES, { zip64 }));
    await (await lib('unzip')).unzip(file, join(dir, `out-${zip64}`), all);
    for (const { name, data } of FILES) expect(readFileSync(join(dir, `out-${zip64}`, name))).toEqual(data);
  });

  it('leaves out unwanted files', async () => {
    const file = join(dir, 'some.zip');
    writeFileSync(file, makeZip(FILES));
    await (await lib('unzip')).unzip(file, join(dir, 'some'), (name: string) => (name === 'empty' ? 'renamed' : undefined));
    expect(existsSync(join(dir, 'some', 'renamed'))).toBe(true);
    expect(existsSync(join(dir, 'some', 'a'))).toBe(false);
  });

  const withByte = (zip: Buffer, at: number) => {
    zip[at] = (zip[at] as number) ^ 0xff;
    return zip;
  };

  it.each([
    ['cut short', makeZip(FILES).subarray(0, -40), /not a complete zip .*: delete it/],
    ['not a zip', Buffer.from('<html>'), /not a complete zip/],
    ['with a damaged directory', withByte(makeZip(FILES), makeZip(FILES).lastIndexOf('PK\x01\x02')), /is damaged .*: delete it/],
    ['with a damaged entry', withByte(makeZip(FILES), 60), /is damaged .*: delete it/],
    ['leading out of its folder', makeZip([{ name: '../out', data: Buffer.from('x') }]), /invalid relative path: \.\.\/out/],
  ])('refuses a file that is %s', async (name, bytes, message) => {
    const file = join(dir, `${name}.zip`);
    writeFileSync(file, bytes);
    await expect((await lib('unzip')).unzip(file, join(dir, 'bad'), all)).rejects.toThrow(message);
    expect(existsSync(join(dir, 'out'))).toBe(false);
  });

  it('refuses a place that leads out of the target', async () => {
    const file = join(dir, 'placed.zip');
    writeFileSync(file, makeZip(FILES));
    await expect((await lib('unzip')).unzip(file, join(dir, 'bad'), (name: string) => `../${name}`)).rejects.toThrow(
      /leads out of its folder/,
    );
    expect(existsSync(join(dir, 'empty'))).toBe(false);
  });

  it('refuses an entry that has not the checksum stated', async () => {
    const file = join(dir, 'sum.zip');
    writeFileSync(file, makeZip(FILES));
    const right = createHash('sha256')
      .update(FILES[0]?.data ?? '')
      .digest('base64url');
    const { unzip } = await lib('unzip');
    const sums = (first: string) => (name: string) => (name === 'a/packed.txt' ? first : undefined);
    await unzip(file, join(dir, 'sum'), all, sums(right));
    await expect(unzip(file, join(dir, 'sum'), all, sums('other'))).rejects.toThrow(/a\/packed\.txt does not have the checksum/);
  });
});

describe('locks', () => {
  const GONE = 2 ** 22 + 1; // above the largest process number of Linux

  it.each([
    ['has died', { host: hostname(), pid: GONE, children: [] }],
    ['has died, and another process has its number', { host: hostname(), pid: process.pid, started: '1', children: [] }],
  ])('are taken over if the owner %s', async (name, owner) => {
    const path = join(dir, `lock ${name}`);
    writeFileSync(path, JSON.stringify(owner));
    const { withLock } = await lib('lock');
    // Both want to take it over: each must have it alone.
    let inside = 0;
    const body = async () => {
      expect(++inside).toBe(1);
      await sleep(50);
      inside--;
    };
    await Promise.all([withLock(path, body), withLock(path, body)]);
    expect(existsSync(path)).toBe(false);
  });

  it.each([
    ['lives', { host: hostname(), pid: process.pid, children: [] }],
    ['has died, but not its child processes', { host: hostname(), pid: GONE, children: [{ pid: process.pid }] }],
    ['is another machine that was active recently', { host: 'another', pid: GONE, children: [] }],
  ])('are respected if the owner %s', async (name, owner) => {
    const path = join(dir, `lock ${name}`);
    writeFileSync(path, JSON.stringify(owner));
    const { withLock } = await lib('lock');
    let released = false;
    setTimeout(() => {
      released = true;
      rmSync(path);
    }, 600);
    await withLock(path, async () => expect(released).toBe(true));
  });
});

describe('a complaint', () => {
  it.each([
    [
      "node:events:497\n      throw er; // Unhandled 'error' event\n      ^\n\nError: getaddrinfo ENOTFOUND host\n    at x (y:1:2)",
      'getaddrinfo ENOTFOUND host',
    ],
    ['WARNING: slow\nERROR: No matching distribution found', 'No matching distribution found'],
    [
      'binding/a.cc: In function f:\nbinding/a.cc:3:1: fatal error: x.h: No such file',
      'binding/a.cc:3:1: fatal error: x.h: No such file',
    ],
    ['npm error code EBADENGINE\nnpm error engine Not compatible', 'code EBADENGINE'],
    ['killed', 'killed'],
    ['', 'no reason given'],
  ])('is summarised by its most informative line', async (text, expected) => {
    expect((await lib('tool')).complaint(text)).toBe(expected);
  });
});

describe('the pinned wheels', () => {
  it('are named whole, each with its checksum, TensorFlow first', async () => {
    const { WHEELS, TENSORFLOW_VERSION } = await lib('wheels');
    for (const [variant, first] of [
      ['cpu', 'tensorflow-cpu'],
      ['cuda', 'tensorflow'],
    ] as const) {
      expect(WHEELS[variant][0]).toMatchObject({ project: first, version: TENSORFLOW_VERSION });
      for (const { project, version, file, bytes, sha256 } of WHEELS[variant]) {
        expect(file).toMatch(new RegExp(`^${project.replaceAll('-', '_')}-${version}-.*_x86_64\\.whl$`));
        expect(sha256).toMatch(/^[0-9a-f]{64}$/);
        expect(bytes).toBeGreaterThan(1e6);
      }
    }
  });

  it('have to meet what TensorFlow asks for', async () => {
    const { unmet } = await lib('wheels');
    const metadata = 'Requires-Dist: nvidia-cudnn-cu12<10.0,>=9.3.0.75; extra == "and-cuda"';
    const pinned = (version: string) => [{ project: 'nvidia-cudnn-cu12', version }];
    expect(unmet(metadata, pinned('9.28.0.42'))).toBeUndefined();
    expect(unmet(metadata, pinned('10.0'))).toContain('it needs nvidia-cudnn-cu12<10.0,>=9.3.0.75, and 10.0 is pinned');
    expect(unmet(metadata, [])).toContain('and none is pinned');
  });

  it('are what --cuda plans to download, with what the disk needs, without asking anybody', async () => {
    const own = globalThis.fetch;
    globalThis.fetch = () => Promise.reject(new Error('it was asked'));
    try {
      const { WHEELS } = await lib('wheels');
      const lines = await (await lib('cuda-plan')).planCudaDownloads();
      expect(lines).toHaveLength(WHEELS.cuda.length + 1);
      for (const [i, { file, sha256 }] of WHEELS.cuda.entries())
        expect(lines[i]).toMatch(new RegExp(`^download ${file.replaceAll('.', '\\.')}, \\d+ MB, SHA-256 ${sha256}$`));
      expect(lines.at(-1)).toMatch(
        /^in all [\d.]+ GB to download; [\d.]+ GB of disk while unpacking \(estimated\), [\d.]+ (GB|MB) are free at /,
      );
    } finally {
      globalThis.fetch = own;
    }
  });
});

describe('compiled code', () => {
  const loadModule = (dist: string) => {
    writeFileSync(join(dir, 'loaded.mjs'), `export const sum = ${Array.from({ length: 3000 }, (_, i) => i).join(' + ')};\n`);
    const script = pathToFileURL(resolve('scripts/lib/build.mjs')).href;
    const code = `const { keepCompiled } = await import(${JSON.stringify(script)}); keepCompiled(${JSON.stringify(dist)});
      console.log((await import(${JSON.stringify(pathToFileURL(join(dir, 'loaded.mjs')).href)})).sum);`;
    return execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8', stdio: 'pipe' }).trim();
  };

  it('is kept beside the modules, where Node can', () => {
    expect(loadModule(dir)).toBe('4498500');
    expect(existsSync(join(dir, '.compiled'))).toBe('enableCompileCache' in nodeModule);
  });

  it('is left out where its folder cannot be written', () => {
    expect(loadModule(join(dir, 'loaded.mjs'))).toBe('4498500');
  });
});

describe('code that runs from the cache', () => {
  it('belongs to nobody else', async () => {
    const { distrust } = await lib('trust');
    const path = join(dir, 'owned');
    writeFileSync(path, '');
    chmodSync(path, 0o644);
    expect(distrust(path)).toBeUndefined();
    expect(distrust(join(dir, 'absent'))).toBeUndefined();
    chmodSync(path, 0o646);
    expect(distrust(path)).toBe('everybody may write it (mode 646)');
    if (process.getuid?.() !== 0) return; // only root can give files away
    chmodSync(path, 0o664);
    chownSync(path, 0, 54321);
    expect(distrust(path)).toBe('its group may write it (mode 664)');
    chmodSync(path, 0o600);
    chownSync(path, 54321, 54321);
    expect(distrust(path)).toBe('it belongs to another user (54321, and this is 0)');
  });
});
