import { tf } from '../backend/index.js';
import type { TorchLayout } from '../nn/index.js';

/** Axis permutations from torch's layout to the in-memory layout, and back. */
const ORDERS: Readonly<Record<TorchLayout, { toMemory: number[]; toTorch: number[] } | undefined>> = {
  same: undefined,
  conv2d: { toMemory: [2, 3, 1, 0], toTorch: [3, 2, 0, 1] },
  convTranspose2d: { toMemory: [2, 3, 1, 0], toTorch: [3, 2, 0, 1] },
  map: { toMemory: [0, 2, 3, 1], toTorch: [0, 3, 1, 2] },
  depthwise: { toMemory: [2, 3, 0, 1], toTorch: [2, 3, 0, 1] },
};

/** Converts a stored weight to the in-memory layout. The result is a new tensor. */
export function fromTorchLayout(values: tf.Tensor, layout: TorchLayout): tf.Tensor {
  const order = ORDERS[layout];
  return order === undefined ? values.clone() : tf.transpose(values, order.toMemory);
}

/** Converts a weight from the in-memory layout to the stored one. The result is a new tensor. */
export function toTorchLayout(values: tf.Tensor, layout: TorchLayout): tf.Tensor {
  const order = ORDERS[layout];
  return order === undefined ? values.clone() : tf.transpose(values, order.toTorch);
}

/** The stored shape of a weight. */
export function torchShape(shape: readonly number[], layout: TorchLayout): number[] {
  const order = ORDERS[layout];
  return order === undefined ? [...shape] : order.toTorch.map((axis) => shape[axis] as number);
}
