import { tf } from '../tf.js';
import type { NativeAttribute, NativeBackend } from './native-backend.js';

const BACKEND = 'tensorflow';

/** A TensorFlow operation of this project (`native/`) exposed as a kernel of the same name. */
export interface NativeOperation {
  readonly name: string;
  /** Input names in the operation's order; all are required. */
  readonly inputs: readonly string[];
  readonly outputs: number;
  /** Type of each attribute. Default: no attributes. */
  readonly attributes?: Readonly<Record<string, 'float' | 'int' | 'string'>>;
}

/** Registers a kernel that runs the operation, which must be loaded. Idempotent. */
export function registerNativeOperation({ name, inputs, outputs, attributes = {} }: NativeOperation): void {
  if (tf.getKernel(name, BACKEND) !== undefined) return;
  tf.registerKernel({
    kernelName: name,
    backendName: BACKEND,
    kernelFunc: ({ inputs: given, attrs, backend }) => {
      const native = backend as unknown as NativeBackend;
      const { binding } = native;
      const types = { float: binding.TF_ATTR_FLOAT, int: binding.TF_ATTR_INT, string: binding.TF_ATTR_STRING };
      const values = (attrs ?? {}) as Readonly<Record<string, unknown>>;
      const list: NativeAttribute[] = Object.entries(attributes).map(([key, type]) => ({
        name: key,
        type: types[type],
        value: values[key],
      }));
      const tensors = inputs.map((input) => (given as Readonly<Record<string, tf.TensorInfo>>)[input] as tf.TensorInfo);
      return outputs === 1
        ? native.executeSingleOutput(name, list, tensors)
        : native.executeMultipleOutputs(name, list, tensors, outputs);
    },
  });
}

/** Unregisters a kernel whose operation turns out not to work on this machine. */
export function unregisterNativeOperation(name: string): void {
  if (tf.getKernel(name, BACKEND) !== undefined) tf.unregisterKernel(name, BACKEND);
}

/** Whether the current backend has the kernel. */
export function hasOperation(name: string): boolean {
  return tf.getKernel(name, tf.getBackend()) !== undefined;
}

/** Name prefix of all operations in `native/`. */
const OWN = /^Sonoground/;

/** Runs a function without this project's kernels, so that the portable versions are used. */
export function withPortableKernels<T>(body: () => T): T {
  const own = tf.getKernelsForBackend(BACKEND).filter(({ kernelName }) => OWN.test(kernelName));
  for (const { kernelName, backendName } of own) tf.unregisterKernel(kernelName, backendName);
  try {
    return body();
  } finally {
    for (const kernel of own) tf.registerKernel(kernel);
  }
}
