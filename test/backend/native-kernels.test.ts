import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';

const dir = mkdtempSync(join(tmpdir(), 'sonoground-vectors-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** As strict as it gets: all kinds of processors are compiled, so that an unused parameter of one of them is an error too. */
const STRICT = ['-std=c++17', '-O1', '-ffp-contract=off', '-Wall', '-Wextra', '-Werror'];
const FLAGS = [...STRICT, '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
const EMPTY = ['-x', 'c++', '-', '-o', join(dir, 'empty')];
const hasSanitizers = spawnSync('g++', [...FLAGS, ...EMPTY], { input: 'int main() {}' }).status === 0;
const onHost = hasSanitizers ? describe : describe.skip;

interface Result {
  readonly kernels: string;
  readonly precision: 'float32' | 'bfloat16';
  readonly linear: number;
  readonly attention: number;
  /** Of attention to maps, which is float32 whatever the precision of the others. */
  readonly maps: number;
  readonly mlp: number;
  readonly rows: number;
  readonly rounding: number;
}

onHost('the kernels of linear maps, MLPs and attention (skipped where there is no g++ with sanitizers)', () => {
  const program = join(dir, 'kernels');

  it('compile without a warning, with the sanitizers', () => {
    const built = spawnSync('g++', [...FLAGS, 'test/native/kernels.cc', 'native/kernels.cc', '-o', program]);
    expect(built.stderr.toString()).toBe('');
  });

  // A processor without what is asked for takes the portable ones.
  it.each(['amx', 'avx512bf16', 'avx512', 'avx2', 'portable'])(
    'stay within their memory and near the exact sums: %s',
    (vectors) => {
      const ran = spawnSync(program, { encoding: 'utf8', env: { ...process.env, SONOGROUND_VECTORS: vectors } });
      expect(ran.stderr).toBe('');
      const results = ran.stdout.trim().split('\n').map((line) => JSON.parse(line) as Result); // biome-ignore format: short
      expect(results.map(({ precision }) => precision)).toEqual(['float32', 'bfloat16']);
      for (const { kernels, precision, linear, attention, maps, mlp, rows, rounding } of results) {
        expect([vectors, 'portable']).toContain(kernels);
        expect(linear).toBeLessThan(1e-6);
        // The weights of the values are rounded to bfloat16 too, each by 2^-9 at most.
        expect(attention).toBeLessThan(precision === 'float32' ? 5e-6 : 2 ** -9 + 5e-6);
        expect(maps).toBeLessThan(5e-6);
        expect({ mlp, rows, rounding }).toEqual({ mlp: 0, rows: 0, rounding: 0 });
      }
    },
  );
});

const hasCompiler = spawnSync('g++', ['-x', 'c++', '-', '-o', join(dir, 'empty')], { input: 'int main() {}' }).status === 0;
const compiled = hasCompiler ? describe : describe.skip;

interface Accuracy {
  readonly kernels: string;
  readonly inputs: number;
  readonly ofExpected: number;
}

/** A product in bfloat16: its largest error, relative to the sum of sizes. */
interface HalfAccuracy {
  readonly precision: 'bfloat16';
  readonly error: number;
}

compiled('the products of linear maps (skipped where there is no g++)', () => {
  const program = join(dir, 'accuracy');

  it('round off no more than their arithmetic lets expect, whatever the size, the range and the numbers', () => {
    expect(spawnSync('g++', [...STRICT, 'test/native/gemm-accuracy.cc', '-o', program]).stderr.toString()).toBe('');
    const lines = spawnSync(program, { encoding: 'utf8' }).stdout.trim().split('\n');
    const parsed = lines.map((line) => JSON.parse(line) as Accuracy | HalfAccuracy);
    const half = parsed.filter((line) => 'precision' in line);
    const all = parsed.filter((line): line is Accuracy => !('precision' in line));
    expect(half.length).toBeGreaterThan(0);
    // Factors that are rounded in another way would be off by up to 2^-9.
    expect(half.filter(({ error }) => !(error < 4e-6))).toEqual([]);
    const [long, kernels] = [true, false].map((one) => all.filter((line) => (line.kernels === 'in one row') === one)) as [
      Accuracy[],
      Accuracy[],
    ];
    expect(new Set(kernels.map((line) => line.kernels))).toContain('portable');
    // Measured on several thousand results, an error of the expected size is within some per cent of it.
    expect(kernels.filter(({ ofExpected }) => !(ofExpected < 1.1))).toEqual([]);
    // The measure sees what it is for.
    expect(long.filter(({ inputs, ofExpected }) => inputs >= 384 && !(ofExpected > 1.2))).toEqual([]);
  });
});

const headers = join('node_modules', '@tensorflow', 'tfjs-node-gpu', 'deps', 'include');
const slow = process.env['SONOGROUND_SLOW'] === '1' && hasCompiler && existsSync(headers);

(slow ? describe : describe.skip)(
  'the native operations (skipped but in the slow tier, where there are g++ and TensorFlow)',
  () => {
    it.each(readdirSync('native').filter((name) => name.endsWith('.cc')))('compile without a warning: %s', (name) => {
      const built = spawnSync('g++', [...STRICT, '-fsyntax-only', '-isystem', headers, join('native', name)]);
      expect([built.status, built.stderr.toString()]).toEqual([0, '']);
    });
  },
);
