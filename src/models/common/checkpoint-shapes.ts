import { ConfigError } from '../../util/index.js';

/** Shapes of a checkpoint's tensors, in torch's layouts, under Hugging Face's names. */
export type CheckpointShapes = ReadonlyMap<string, { readonly shape: readonly number[] }>;

/** One dimension of a tensor. Default: the first. */
export type SizeOf = (key: string, axis?: number) => number;

/** @throws ConfigError when a requested tensor is missing. */
export function sizeReader(shapes: CheckpointShapes, unclear: (what: string) => ConfigError): SizeOf {
  return (key, axis = 0) => {
    const size = shapes.get(key)?.shape[axis];
    if (size === undefined) throw unclear(`there is no ${key}`);
    return size;
  };
}

/** Length of a list, from the first path components of the keys below it. */
export function countOf(shapes: CheckpointShapes, list: string): number {
  const members = [...shapes.keys()].filter((key) => key.startsWith(`${list}.`)).map((key) => key.slice(list.length + 1));
  return new Set(members.map((rest) => rest.split('.')[0])).size;
}

/** The error for weights whose shapes do not determine their configuration. */
export function unclearShapes(model: string): (what: string) => ConfigError {
  return (what) =>
    new ConfigError({
      code: 'E_MODEL_INCOMPLETE',
      where: `${model} weights without config.json`,
      what,
      fix: 'Put its config.json beside them',
    });
}
