import { tf } from '../backend/index.js';

/** The distinct tensors of nested lists and records. */
export function tensorsIn(value: unknown): tf.Tensor[] {
  const found = new Map<number, tf.Tensor>();
  mapped(value, (tensor) => {
    found.set(tensor.id, tensor);
  });
  return [...found.values()];
}

/** The tensors of nested lists and records, and what they look like. */
export interface Listed {
  /** Distinct by memory. */
  readonly tensors: readonly tf.Tensor[];
  /** Equal for values that only differ in the values of their tensors. */
  readonly signature: string;
}

export function listed(value: unknown): Listed {
  const places = new Map<object, number>();
  const tensors: tf.Tensor[] = [];
  const shapes = mapped(value, (tensor) => {
    const { dataId, dtype, shape } = tensor;
    const known = places.get(dataId);
    if (known !== undefined) return { same: known };
    places.set(dataId, tensors.length);
    tensors.push(tensor);
    return { dtype, shape };
  });
  return { tensors, signature: JSON.stringify(shapes) };
}

/** Maps each tensor in nested lists and records. */
function mapped(value: unknown, replace: (tensor: tf.Tensor) => unknown): unknown {
  if (value instanceof tf.Tensor) return replace(value);
  if (Array.isArray(value)) return value.map((item) => mapped(item, replace));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapped(item, replace)]));
}

/** Placeholder for a tensor. */
class Place {
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
}

/** Replaces each tensor in nested lists and records by its index in `tensors`; inverse of {@link filled}. */
export function numbered(value: unknown, tensors: readonly tf.Tensor[]): unknown {
  const numbers = new Map(tensors.map(({ id }, i) => [id, i]));
  return mapped(value, ({ id }) => new Place(numbers.get(id) as number));
}

/** Replaces the indices left by {@link numbered} by tensors. */
export function filled(structure: unknown, tensors: readonly tf.Tensor[]): unknown {
  if (structure instanceof Place) return tensors[structure.index];
  if (Array.isArray(structure)) return structure.map((item) => filled(item, tensors));
  if (structure === null || typeof structure !== 'object') return structure;
  return Object.fromEntries(Object.entries(structure).map(([key, item]) => [key, filled(item, tensors)]));
}
