import type { tf } from '../../src/backend/index.js';
import type { Module, Parameter } from '../../src/nn/index.js';
import { relativeError } from './compare.js';
import type { GoldenCase } from './golden.js';

/** Gradients that are zero in theory (a key's bias cannot move a softmax) are compared against this instead of themselves. */
const ZERO_GRADIENT = 1e-4;

/** The trainable parameters whose gradients are not those that the reference left under `prefix` and their paths. */
export async function wrongGradients(
  model: Module,
  golden: GoldenCase,
  gradients: ReadonlyMap<Parameter, tf.Tensor>,
  prefix = 'grad.',
): Promise<string[]> {
  const wrong: string[] = [];
  for (const [path, parameter] of model.namedParameters()) {
    if (!parameter.trainable || !golden.has(`${prefix}${path}`)) continue;
    const expected = await golden.inLayout(`${prefix}${path}`, parameter.layout).data();
    const actual = (await gradients.get(parameter)?.data()) ?? new Float32Array(expected.length);
    const error = relativeError(actual, expected);
    const small = Math.max(...expected.map(Math.abs), ...actual.map(Math.abs)) < ZERO_GRADIENT;
    if (error > 1e-3 && !small) wrong.push(`${path}: ${error}`);
  }
  return wrong;
}
