import { withPortableKernels } from '../kernels/index.js';
import { tf } from '../tf.js';
import { Recorder } from './recorder.js';
import type { Trace, TracedEdge } from './traced.js';

/**
 * Runs a function once on the native backend and records its TensorFlow operations. Tensors that existed before, or are created
 * from JavaScript values, become constants. Uses the portable kernels rather than the project's own.
 *
 * @param inputs - sample values; they stay the caller's.
 * @param fn - runs synchronously, in a `tf.tidy`; must not read values of tensors.
 * @throws RuntimeError when the current backend is not the native one.
 */
export function trace<I extends Readonly<Record<string, tf.Tensor>>>(
  inputs: I,
  fn: (inputs: I) => Readonly<Record<string, tf.Tensor>>,
): Trace {
  const recorder = new Recorder({ existing: 'constant' });
  const traced = Object.entries(inputs).map(([name, tensor]) => recorder.input(name, tensor));
  const outputs = new Map<string, TracedEdge>();
  tf.tidy(() =>
    recorder.during(() => {
      const results = withPortableKernels(() => fn(inputs));
      for (const [name, tensor] of Object.entries(results)) outputs.set(name, recorder.edge(tensor));
    }),
  );
  return { operations: recorder.operations, inputs: traced, outputs };
}
