import { tf } from '../backend/index.js';
import type { ManifestCheck, Runner } from '../infer/index.js';
import type { Program } from './program.js';

/** Indices of the samples to compare, other than the traced one. */
const VARIANTS = [1, 2];

/**
 * Compares exported programs with the model itself, on inputs other than the traced ones.
 *
 * @param sizes - the sizes of dynamic axes to try, or the fixed one.
 */
export async function verify(program: Program, runner: Runner, sizes: readonly number[]): Promise<ManifestCheck[]> {
  const checks: ManifestCheck[] = [];
  for (const [k, variant] of VARIANTS.entries()) {
    const size = sizes[k % sizes.length] as number;
    const inputs = program.samples(variant, size);
    const expected = tf.tidy(() => program.run(inputs));
    const got = await runner.run(program.signature, inputs);
    for (const [name, tensor] of Object.entries(expected)) {
      const what = `${program.signature} ${name}, sample ${variant}${program.dynamic ? `, ${program.dynamic.name} = ${size}` : ''}`;
      checks.push({ what, ...(await compare(tensor, got[name])) });
    }
    tf.dispose([inputs, expected, { ...got }]);
  }
  return checks;
}

/** Compares the programs of a model with those of the same model after reading it back. */
export async function verifyAgain(programs: readonly Program[], again: readonly Program[]): Promise<ManifestCheck[]> {
  const runner: Runner = {
    async run(signature, inputs) {
      const program = again.find((other) => other.signature === signature) as Program;
      return tf.tidy(() => program.run(inputs));
    },
    dispose: () => {},
  };
  const checks: ManifestCheck[] = [];
  for (const program of programs) checks.push(...(await verify(program, runner, [1])));
  return checks;
}

/** Reports the result, one line per comparison. */
export function report(path: string, checks: readonly ManifestCheck[], say: (message: string) => void): void {
  for (const { what, max_abs_error: error, max_abs_value: value } of checks)
    say(`${path}: ${what}: largest error ${error.toExponential(1)}, values up to ${value.toPrecision(3)}`);
}

async function compare(
  expected: tf.Tensor,
  got: tf.Tensor | undefined,
): Promise<Pick<ManifestCheck, 'max_abs_error' | 'max_abs_value'>> {
  if (got?.shape.join() !== expected.shape.join()) return { max_abs_error: Number.MAX_VALUE, max_abs_value: 0 };
  const [a, b] = await Promise.all([expected.data<'float32'>(), got.data<'float32'>()]);
  let error = 0;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    if (Object.is(x, y)) continue; // both infinite, or both NaN
    error = Math.max(error, Number.isFinite(x) && Number.isFinite(y) ? Math.abs(x - y) : Number.MAX_VALUE);
  }
  for (const x of a) if (Number.isFinite(x)) largest = Math.max(largest, Math.abs(x));
  return { max_abs_error: error, max_abs_value: largest };
}
