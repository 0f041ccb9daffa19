import { tf } from '../backend/index.js';
import type { TorchLayout } from '../nn/index.js';

/** Axis orders from torch's arrangement to memory's, and back. */
const ORDERS: Readonly<Record<TorchLayout, { toMemory: number[]; toTorch: number[] } | undefined>> = {
  same: undefined,
  conv2d: { toMemory: [2, 3, 1, 0], toTorch: [3, 2, 0, 1] },
  convTranspose2d: { toMemory: [2, 3, 1, 0], toTorch: [3, 2, 0, 1] },
  map: { toMemory: [0, 2, 3, 1], toTorch: [0, 3, 1, 2] },
  depthwise: { toMemory: [2, 3, 0, 1], toTorch: [2, 3, 0, 1] },
};

/** A weight as a checkpoint stores it, in memory's arrangement. The result is a new tensor. */
export function fromTorchLayout(values: tf.Tensor, layout: TorchLayout): tf.Tensor {
  const order = ORDERS[layout];
  return order === undefined ? values.clone() : tf.transpose(values, order.toMemory);
}

/** A weight in memory, arranged as a checkpoint stores it. The result is a new tensor. */
export function toTorchLayout(values: tf.Tensor, layout: TorchLayout): tf.Tensor {
  const order = ORDERS[layout];
  return order === undefined ? values.clone() : tf.transpose(values, order.toTorch);
}

/** The shape that a checkpoint gives a weight. */
export function torchShape(shape: readonly number[], layout: TorchLayout): number[] {
  const order = ORDERS[layout];
  return order === undefined ? [...shape] : order.toTorch.map((axis) => shape[axis] as number);
}
