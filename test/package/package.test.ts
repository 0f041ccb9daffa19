import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { emptyProject as newProject, pack } from '../support/package.js';
import { describeUnless, notSlow } from '../support/skipped.js';

/* Packing, two installations and a set-up take minutes, and need npm's registry or its cache. */

const PROGRAM = `
import { writeFileSync } from 'node:fs';
import { decodeImage, encodePng, GroundedSegmenter } from 'sonoground';
import { PhantomDataset, phantomDomains } from 'sonoground/data';
const phantoms = new PhantomDataset({ size: 1, seed: 3, width: 128, height: 128, domain: phantomDomains.standard });
writeFileSync('scan.png', await encodePng((await phantoms.load(0)).image));
const image = await decodeImage('scan.png');
const s = await GroundedSegmenter.load();
const r = await s.segment(image, 'benign lesion. cyst.');
s.dispose();
console.log(JSON.stringify(r.map(({ phrase, score, mask }) => ({ phrase, score, size: [mask.width, mask.height] }))));
`;

const TYPED = `
import { decodeImage, GroundedSegmenter, type Segmentation, Sonoground } from 'sonoground';
import type { Segment } from 'sonoground/models';
const found: Segmentation[] = await (await Sonoground.fromPretrained()).segment('scan.png', 'cyst');
export const labels: string[] = found.map(({ label }) => label);
const s = await GroundedSegmenter.load();
const r: Segment[] = await s.segment(await decodeImage('scan.png'), 'benign lesion. cyst.');
export const scores: number[] = r.map(({ score }) => score);
// @ts-expect-error -- a prompt is not a number
await s.segment(await decodeImage('scan.png'), 7);
`;

const OPTIONS = {
  module: 'NodeNext',
  moduleResolution: 'NodeNext',
  target: 'ES2022',
  strict: true,
  skipLibCheck: true,
  noEmit: true,
};

describeUnless(notSlow, 'the package in an empty project', () => {
  let dir = '';
  let tarball = '';
  const environment = { ...process.env, npm_config_ignore_scripts: 'true', npm_config_prefer_offline: 'true' };

  function run(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = environment) {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
    return { status, stdout, stderr };
  }

  function emptyProject(): string {
    const project = newProject(dir);
    writeFileSync(join(project, 'main.mjs'), PROGRAM);
    return project;
  }

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'sonoground-package-'));
    ({ tarball } = pack(dir));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  /** Runs the program and reads what it found. */
  function found(project: string): { phrase: string; score: number; size: number[] }[] {
    const { status, stdout, stderr } = run(process.execPath, ['main.mjs'], project);
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  }

  it('installs, is set up by one command, imports, segments and type-checks', () => {
    const project = emptyProject();
    const installed = run('npm', ['install', tarball], project);
    expect(installed.status).toBe(0);
    // No package of the chain asks for a newer Node than this project does; overrides would not reach an installed package.
    expect(installed.stderr).not.toContain('EBADENGINE');
    const setUp = run('npx', ['sonoground', 'setup'], project);
    expect(`${setUp.stdout}${setUp.stderr}`).toMatch(/sonoground is set up/);
    const segments = found(project);
    expect(segments.length).toBeGreaterThan(0);
    expect(segments[0]?.size).toEqual([128, 128]);
    const exported = run('npx', ['sonoground', 'export', '--to', 'site', '--format', 'web-page'], project);
    expect([exported.status, exported.stderr]).toEqual([0, expect.stringContaining('python3 -m http.server -d site')]);
    for (const name of ['index.html', 'page.js', 'engine.js', 'tfjs-backend-wasm-simd.wasm', 'detector/model.json'])
      expect(existsSync(join(project, 'site', name))).toBe(true);
    writeFileSync(join(project, 'typed.ts'), TYPED);
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: OPTIONS, files: ['typed.ts'] }));
    const compiler = join(process.cwd(), 'node_modules', '@typescript', 'native', 'bin', 'tsc');
    const { status, stdout } = run(process.execPath, [compiler, '-p', '.'], project);
    expect([status, stdout]).toEqual([0, '']);
  });

  it('is whole again after an installation with scripts on that could not reach the host of TensorFlow', () => {
    const project = emptyProject();
    // The script downloads from a host that refuses connections.
    const unreachable = {
      ...environment,
      npm_config_ignore_scripts: 'false',
      TFJS_NODE_BASE_URI: 'http://127.0.0.1:9/',
      TFJS_NODE_CDN_STORAGE: 'http://127.0.0.1:9/',
      npm_config_tfjs_binding_binary_host_mirror: 'http://127.0.0.1:9/',
    };
    expect(run('npm', ['install', tarball], project, unreachable).status).toBe(0);
    const binding = join(project, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
    expect(existsSync(binding)).toBe(false);
    const setUp = run('npx', ['sonoground', 'setup'], project);
    expect(`${setUp.stdout}${setUp.stderr}`).toMatch(/npm left out @tensorflow\/tfjs-node-gpu/);
    expect(existsSync(binding)).toBe(true);
    expect(found(project).length).toBeGreaterThan(0);
  });
});
