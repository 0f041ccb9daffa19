import { withPortableKernels } from '../kernels/index.js';
import { tf } from '../tf.js';
import { Recorder } from './recorder.js';
import type { Trace, TracedEdge } from './traced.js';

/**
 * Runs a function once on the native backend and records the TensorFlow operations that it consists of. Whatever existed
 * before or is made from values of JavaScript becomes a constant. The portable kernels run, not the project's own.
 *
 * @param inputs - sample values; they stay the caller's.
 * @param fn - runs synchronously, in a `tf.tidy`; it may not look at the values of tensors.
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
