import { tf } from '../../backend/index.js';
import type { Parameter } from '../../nn/index.js';
import { CheckpointError } from '../../util/index.js';
import type { AdamW, Ema } from '../optim/index.js';
import type { TrainTask } from '../tasks/index.js';

/** The arrays of a run: trained weights, optimiser moments, averaged weights. */
export interface TrainingArrays {
  readonly parameters: readonly (readonly [string, Parameter])[];
  readonly optimiser: AdamW;
  readonly ema: Ema | undefined;
}

/** Calls `use` with all arrays by name, and frees the copies. */
export async function withArrays<T>(
  { parameters, optimiser, ema }: TrainingArrays,
  use: (arrays: ReadonlyMap<string, tf.Tensor>) => Promise<T>,
): Promise<T> {
  const weights = parameters.map(([path, { value }]) => [`model.${path}`, value as tf.Tensor] as const);
  const moments = [...optimiser.state()].map(([name, tensor]) => [`optimiser.${name}`, tensor] as const);
  const average = [...(ema?.state() ?? [])].map(([name, tensor]) => [`ema.${name}`, tensor] as const);
  try {
    return await use(new Map([...weights, ...moments, ...average]));
  } finally {
    tf.dispose([...moments, ...average].map(([, tensor]) => tensor));
  }
}

/**
 * Restores arrays by copying; they stay the caller's.
 *
 * @param steps - number of updates before.
 * @throws CheckpointError naming the file and the missing arrays.
 */
export function restoreArrays(
  { parameters, optimiser, ema }: TrainingArrays,
  arrays: ReadonlyMap<string, tf.Tensor>,
  steps: number,
  file: string,
): void {
  const under = (prefix: string) =>
    new Map([...arrays].filter(([name]) => name.startsWith(prefix)).map(([name, tensor]) => [name.slice(prefix.length), tensor]));
  const weights = under('model.');
  const missing = parameters.filter(([path]) => !weights.has(path)).map(([path]) => path);
  if (missing.length > 0)
    throw new CheckpointError({
      code: 'E_CONFIG_CHANGED',
      where: file,
      what: `it has no ${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ` and ${missing.length - 5} more` : ''}`,
      fix: 'It belongs to another configuration: choose another run.dir',
    });
  for (const [path, parameter] of parameters) parameter.assign(weights.get(path) as tf.Tensor);
  optimiser.restore(under('optimiser.'), steps);
  ema?.restore(under('ema.'), steps);
}

/** The trainable parameters, each under its first path. */
export function trainable({ model }: TrainTask): [string, Parameter][] {
  const seen = new Set<Parameter>();
  return [...model.namedParameters()].filter(([, parameter]) => {
    const fresh = parameter.trainable && !seen.has(parameter);
    seen.add(parameter);
    return fresh;
  });
}
