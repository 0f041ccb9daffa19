import type { tf } from '../../src/backend/index.js';
import type { Module, Parameter } from '../../src/nn/index.js';
import { relativeError } from './compare.js';
import type { GoldenCase } from './golden.js';

/** Gradients that are zero in theory (a key's bias cannot move a softmax) are compared against this instead of themselves. */
const ZERO_GRADIENT = 1e-4;

/** Parameters that the reference would train and this project keeps as they were drawn. */
const FIXED = ['shared_image_embedding.positional_embedding'];

/**
 * What is wrong with a model's gradients by those that the reference left under `prefix` and their paths. The names of both must
 * be the same: a parameter that the reference has no gradient for, as nothing leads to it, may have none here.
 */
export async function wrongGradients(
  model: Module,
  golden: GoldenCase,
  gradients: ReadonlyMap<Parameter, tf.Tensor>,
  tolerance: number,
  prefix = 'grad.',
): Promise<string[]> {
  const wrong: string[] = [];
  const left = new Set(golden.names(prefix));
  if (left.size === 0) wrong.push(`the reference has no gradients under ${prefix}`);
  const largest = (values: ArrayLike<number>) => Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (const [path, parameter] of model.namedParameters()) {
    const actual = await gradients.get(parameter)?.data();
    if (!left.delete(path)) {
      if (actual !== undefined && largest(actual) > 0) wrong.push(`${path}: the reference has no gradient`);
      continue;
    }
    if (FIXED.includes(path) && actual === undefined) continue;
    const expected = await golden.inLayout(`${prefix}${path}`, parameter.layout).data();
    const error = relativeError(actual ?? new Float32Array(expected.length), expected);
    const small = Math.max(largest(expected), largest(actual ?? [])) < ZERO_GRADIENT;
    if (error > tolerance && !small) wrong.push(`${path}: ${error}`);
  }
  return [...wrong, ...[...left].map((path) => `${path}: no such parameter`)];
}
