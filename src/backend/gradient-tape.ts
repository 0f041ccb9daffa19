import { tf } from './tf.js';

/** Whether a gradient tape listens, so that operations without a gradient may not be used. Inside custom gradients none does. */
export function isTapeOn(): boolean {
  // The types of tfjs keep to themselves what its own code asks.
  return (tf.engine() as unknown as { isTapeOn(): boolean }).isTapeOn();
}
