import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';

const { compileArguments, nvcc } = await import(pathToFileURL(resolve('scripts', 'lib', 'native-cuda.mjs')).href);
const command = nvcc() as string | undefined;
const tensorflow = resolve('node_modules', '@tensorflow', 'tfjs-node-gpu', 'deps');
const hasCompiler = spawnSync('g++', ['--version']).status === 0;
const slow = process.env['SONOGROUND_SLOW'] === '1';

const dir = mkdtempSync(join(tmpdir(), 'sonoground-cuda-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const onHost = hasCompiler ? describe : describe.skip;
const onCompiler = slow && command !== undefined && existsSync(join(tensorflow, 'include')) ? describe : describe.skip;

onHost('what the threads of a CUDA device compute, on the host (skipped where there is no g++)', () => {
  it('is what the operation for the CPU computes', () => {
    const program = join(dir, 'point');
    const sources = ['test/native/deformable-point.cc', 'native/deformable-sampling.cc'];
    const strict = ['-Wall', '-Wextra', '-Werror'];
    const built = spawnSync('g++', ['-std=c++17', '-O2', '-ffp-contract=off', ...strict, ...sources, '-o', program]);
    expect(built.stderr.toString()).toBe('');
    const differences = JSON.parse(spawnSync(program, { encoding: 'utf8' }).stdout) as Record<string, number>[];
    expect(differences.map(({ depth }) => depth)).toEqual([1, 7, 12, 32, 40, 70]);
    for (const { output, value, locations, weights } of differences)
      for (const difference of [output, value, locations, weights]) expect(difference).toBeLessThan(1e-6); // sums in another order
  });
});

onCompiler('the CUDA kernels (skipped but in the slow tier, where there is nvcc and TensorFlow)', () => {
  it('compile for every family of cards that the compiler knows, and leave no name open', () => {
    const target = join(dir, 'ops.node');
    const args = compileArguments(command, tensorflow, target) as string[];
    expect(args.filter((arg) => arg === '-gencode').length).toBeGreaterThan(1);
    const { status, stderr } = spawnSync(command as string, args, { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });
});
