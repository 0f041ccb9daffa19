import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';

const dir = mkdtempSync(join(tmpdir(), 'sonoground-vectors-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/**
 * Warnings of any processor's kernels are errors: an unused parameter of one of them too. They are compiled without inlining, which
 * takes a fifth of the time with the sanitizers and a third without; the slow tier compiles them as they are installed.
 */
const STRICT = ['-std=c++17', '-O1', '-ffp-contract=off', '-Wall', '-Wextra', '-Werror'];
const APART = [...STRICT, '-fno-inline', '-DALWAYS='];
const SANITIZED = [...APART, '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
const EMPTY = ['-x', 'c++', '-', '-o', join(dir, 'empty')];
const compiles = (flags: readonly string[]) => spawnSync('g++', [...flags, ...EMPTY], { input: 'int main() {}' }).status === 0;
const onHost = compiles(SANITIZED) ? describe : describe.skip;
const hasCompiler = compiles([]);
const compiled = hasCompiler ? describe : describe.skip;

const KINDS = ['amx', 'avx512bf16', 'avx512', 'avx2', 'portable'];
const accuracy = join(dir, 'accuracy');

/** All kinds of kernels, of which this processor need not have all. */
const compileAll = () => spawnSync('g++', [...APART, 'test/native/gemm-accuracy.cc', '-o', accuracy]).stderr.toString();

/** The kind that is used here where `vectors` are asked for. */
function chosenFor(vectors: string): string {
  return spawnSync(accuracy, ['name'], { encoding: 'utf8', env: { ...process.env, SONOGROUND_VECTORS: vectors } }).stdout.trim();
}

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

compiled('the kinds of kernels (skipped where there is no g++)', () => {
  it('compile without a warning', () => {
    expect(compileAll()).toBe('');
  });

  it.each(KINDS)('are the portable ones on a processor without what is asked for: %s', (vectors) => {
    expect([vectors, 'portable']).toContain(chosenFor(vectors));
  });
});

onHost('the kernels of linear maps, MLPs and attention (skipped where there is no g++ with sanitizers)', () => {
  const program = join(dir, 'kernels');

  it('compile without a warning, with the sanitizers', () => {
    const left = chosenFor('avx512') === 'avx512' ? [] : ['-DWITHOUT_AVX512'];
    const sources = ['test/native/kernels.cc', 'native/kernels.cc'];
    expect(spawnSync('g++', [...SANITIZED, ...left, ...sources, '-o', program]).stderr.toString()).toBe('');
  });

  it.each(KINDS)('stay within their memory and near the exact sums, where the processor has them: %s', (vectors) => {
    if (chosenFor(vectors) !== vectors) return;
    const ran = spawnSync(program, { encoding: 'utf8', env: { ...process.env, SONOGROUND_VECTORS: vectors } });
    expect(ran.stderr).toBe('');
    const results = ran.stdout.trim().split('\n').map((line) => JSON.parse(line) as Result); // biome-ignore format: short
    expect(results.map(({ precision }) => precision)).toEqual(['float32', 'bfloat16']);
    for (const { kernels, precision, linear, attention, maps, mlp, rows, rounding } of results) {
      expect(kernels).toBe(vectors);
      expect(linear).toBeLessThan(1e-6);
      // The weights of the values are rounded to bfloat16 too, each by 2^-9 at most.
      expect(attention).toBeLessThan(precision === 'float32' ? 5e-6 : 2 ** -9 + 5e-6);
      expect(maps).toBeLessThan(5e-6);
      expect({ mlp, rows, rounding }).toEqual({ mlp: 0, rows: 0, rounding: 0 });
    }
  });
});

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
  it('round off no more than their arithmetic lets expect, whatever the size, the range and the numbers', () => {
    const lines = spawnSync(accuracy, { encoding: 'utf8' }).stdout.trim().split('\n');
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
    it('compile without a warning when inlined', () => {
      expect(spawnSync('g++', [...STRICT, '-c', 'native/kernels.cc', '-o', join(dir, 'inlined.o')]).stderr.toString()).toBe('');
    });

    it.each(readdirSync('native').filter((name) => name.endsWith('.cc')))('compile without a warning: %s', (name) => {
      const built = spawnSync('g++', [...STRICT, '-fsyntax-only', '-isystem', headers, join('native', name)]);
      expect([built.status, built.stderr.toString()]).toEqual([0, '']);
    });
  },
);
