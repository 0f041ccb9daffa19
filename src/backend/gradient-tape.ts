import { tf } from './tf.js';

/**
 * Whether a gradient tape is active, so that operations without a gradient must not be used. None is active inside custom
 * gradients.
 */
export function isTapeOn(): boolean {
  // Not part of tfjs's public types.
  return (tf.engine() as unknown as { isTapeOn(): boolean }).isTapeOn();
}
