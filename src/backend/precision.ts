/** Precisions of weights and products in inference. Sums, softmax and norms are always float32. */
export const precisions = ['float32', 'bfloat16'] as const;

/** Precision of weights and products in inference. Sums, softmax and norms are always float32. */
export type Precision = (typeof precisions)[number];
