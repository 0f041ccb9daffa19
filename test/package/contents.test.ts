import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Packed, pack } from '../support/package.js';

const MB = 1e6;

/** The most that each part of the package may weigh unpacked, in bytes. Weights are half precision and do not compress. */
const LARGEST: Readonly<Record<string, number>> = {
  weights: 40 * MB,
  dist: 11 * MB,
  examples: 3 * MB,
  docs: 0.6 * MB,
  native: 0.5 * MB,
  configs: 0.3 * MB,
  deploy: 0.1 * MB,
  assets: 0.3 * MB,
  scripts: 0.2 * MB,
  '': 0.1 * MB, // the files beside the folders
};

const MOST_PACKED = 45 * MB;

/** What commands, messages and the programs of the set-up look for. */
const NEEDED = [
  'package.json',
  'README.md',
  'LICENSE',
  'NOTICE',
  'CHANGELOG.md',
  'scripts/run.mjs',
  'scripts/bootstrap.mjs',
  'scripts/lib/wheels.json',
  'native/addon.cc',
  'dist/index.js',
  'dist/index.d.ts',
  'dist/cli/index.js',
  'dist/command-line/index.js',
  'dist/static-page/index.html',
  'dist/web/index.html',
  'configs/demo.yaml',
  'configs/examples.yaml',
  'configs/prompts/busi.yaml',
  'configs/splits/busi.json',
  'assets/fonts/sonoground-sans.otf',
  'deploy/slurm/submit.sh',
  'docs/serving.md',
  'examples/README.md',
  'examples/fetal-head-1.jpg',
  'examples/hc18/annotations/test.json',
  'weights/nano-grounding-dino/model.safetensors',
  'weights/nano-sam2/model.safetensors',
  'weights/ultrasound-detector/model.safetensors',
  'weights/ultrasound-masker/model.safetensors',
];

let dir = '';
let packed: Packed;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sonoground-contents-'));
  packed = pack(dir);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('the tarball', () => {
  it('holds what the commands look for', () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(NEEDED));
  });

  it('holds no tests, no sources that are compiled, no tools of the repository and no build notes', () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths.filter((path) => /^(test|src|tools|bench|runs|node_modules|docs\/api)\//.test(path))).toEqual([]);
    expect(paths.filter((path) => /\.test\.|\.map$|\.tsbuildinfo$|\.built$|(^|\/)\.[^/]/.test(path))).toEqual([]);
    expect(
      paths.filter((path) => /^scripts\/(lib\/)?(test|checks?|check-vectors|docs|pack|jest|renew-wheels)\.mjs$/.test(path)),
    ).toEqual([]);
  });

  it('stays of a sensible size, each part of it', () => {
    const sizes: Record<string, number> = {};
    for (const { path, size } of packed.files) {
      const part = path.includes('/') ? (path.split('/')[0] as string) : '';
      sizes[part] = (sizes[part] ?? 0) + size;
    }
    expect(Object.keys(sizes).sort()).toEqual(Object.keys(LARGEST).sort());
    const tooLarge = Object.entries(sizes).filter(([part, size]) => size > (LARGEST[part] ?? 0));
    expect(tooLarge).toEqual([]);
    expect(packed.bytes).toBeLessThan(MOST_PACKED);
  });
});
