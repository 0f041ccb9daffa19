import { tf } from '../backend/index.js';
import type { EncodedPrompt } from '../prompts/index.js';

/** A batch of prompts, zero-padded to the same length. All [B, T] i32. */
export interface TextBatch {
  readonly inputIds: tf.Tensor2D;
  /** 1 on tokens, 0 on padding. */
  readonly attentionMask: tf.Tensor2D;
  readonly tokenTypeIds: tf.Tensor2D;
}

/**
 * Collates prompts into a batch.
 *
 * @param atLeast - minimum length to pad to. Default: the longest prompt.
 */
export function collateText(prompts: readonly EncodedPrompt[], atLeast = 0): TextBatch {
  const length = Math.max(atLeast, ...prompts.map(({ inputIds }) => inputIds.length));
  const ids = new Int32Array(prompts.length * length);
  const mask = new Int32Array(prompts.length * length);
  for (const [b, { inputIds }] of prompts.entries()) {
    ids.set(inputIds, b * length);
    mask.fill(1, b * length, b * length + inputIds.length);
  }
  const shape: [number, number] = [prompts.length, length];
  return {
    inputIds: tf.tensor2d(ids, shape, 'int32'),
    attentionMask: tf.tensor2d(mask, shape, 'int32'),
    tokenTypeIds: tf.zeros(shape, 'int32'),
  };
}
