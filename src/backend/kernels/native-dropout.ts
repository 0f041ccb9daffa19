import { tf } from '../tf.js';
import { hasOperation, registerNativeOperation } from './native-operation.js';

const KERNEL = 'SonogroundDropout';

/** Parameters of {@link nativeDropout}. */
interface NativeDropoutSettings {
  /** Number of the block within its pass, and of the draw within its block: each has numbers of its own. */
  readonly block: number;
  readonly draw: number;
  /** How many neighbours in memory share a number. */
  readonly each: number;
  /** Elements whose number, of 32 bits, is below it become zero. */
  readonly threshold: number;
  /** Multiplies the others. */
  readonly scale: number;
}

/** Registers dropout with the native backend, see `native/dropout.cc`. */
export function registerNativeDropout(): void {
  const attributes = { block: 'int', draw: 'int', each: 'int', threshold: 'int', scale: 'float' } as const;
  registerNativeOperation({ name: KERNEL, inputs: ['x', 'seed'], outputs: 1, attributes });
}

/** Whether the current backend has the kernel. */
export function hasNativeDropout(): boolean {
  return hasOperation(KERNEL);
}

/**
 * Multiplies each element by zero or the scale, as its random number has it; not differentiable.
 *
 * @param x - f32 of any shape.
 * @param seed - [1] i32: the seed of the pass.
 * @throws Error with TensorFlow's message if sizes do not match.
 */
export function nativeDropout<T extends tf.Tensor>(x: T, seed: tf.Tensor, settings: NativeDropoutSettings): T {
  return tf.engine().runKernel(KERNEL, { x, seed }, { ...settings }) as tf.Tensor as T;
}
