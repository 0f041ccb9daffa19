import { tf } from './tf.js';

/**
 * Whether a gradient tape is active, so that operations without a gradient must not be used. None is active inside custom
 * gradients.
 */
export function isTapeOn(): boolean {
  // Not part of tfjs's public types.
  const engine = tf.engine() as unknown as { isTapeOn(): boolean; readonly state: { readonly kernelDepth: number } };
  return engine.isTapeOn() || (asUnder && engine.state.kernelDepth === 0);
}

let asUnder = false;

/**
 * Runs a synchronous function with the operations that it would use under a gradient tape, without one. A graph that holds both this
 * pass and a repetition under a tape then computes them once.
 */
export function asUnderTape<T>(body: () => T): T {
  const before = asUnder;
  asUnder = true;
  try {
    return body();
  } finally {
    asUnder = before;
  }
}
