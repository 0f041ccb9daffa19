import { tf } from '../backend/index.js';
import { type ForwardContext, inference, type Module, type Parameter } from '../nn/index.js';

/** One of a block's outputs, or of its inputs. */
export interface BlockTensor {
  /** Place of the block in the pass, from 0. */
  readonly index: number;
  /** The first of its modules or parameters; undefined if it has none. */
  readonly owner: Module | Parameter | undefined;
  /** Its name in the block. */
  readonly name: string;
  /** Whether it is the block's first output. */
  readonly first: boolean;
}

/** The path of every module and parameter, to name blocks by. */
export function pathsOf(model: Module): ReadonlyMap<unknown, string> {
  const named: [string, unknown][] = [...model.namedModules(), ...model.namedParameters()];
  return new Map(named.map(([path, owner]) => [owner, path]));
}

/**
 * Inference that keeps a copy of what each block computes, since models free what they pass on.
 *
 * @param seen - receives the copies, which belong to the caller; of booleans 0 and 1.
 * @param nameOf - the name of a tensor; undefined to skip it.
 * @param inputsToo - names of inputs that are kept as well, where a block has them.
 */
export function watchBlocks(
  seen: Record<string, tf.Tensor>,
  nameOf: (tensor: BlockTensor) => string | undefined,
  inputsToo: readonly string[] = [],
): ForwardContext {
  let index = 0;
  return {
    ...inference,
    block(owners, inputs, fn) {
      const outputs = inference.block(owners, inputs, fn);
      const [owner] = Array.isArray(owners) ? owners : [owners];
      const keep = (name: string, tensor: tf.Tensor | undefined, first: boolean) => {
        if (tensor === undefined) return;
        const known = nameOf({ index, owner, name, first });
        if (known !== undefined) seen[known] = tf.keep(tensor.dtype === 'bool' ? tf.cast(tensor, 'float32') : tensor.clone());
      };
      for (const name of inputsToo) keep(name, inputs[name], false);
      for (const [k, [name, tensor]] of Object.entries(outputs).entries()) keep(name, tensor, k === 0);
      index += 1;
      return outputs;
    },
  };
}
