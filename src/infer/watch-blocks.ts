import { tf } from '../backend/index.js';
import { type ForwardContext, inference, type Module, type Parameter } from '../nn/index.js';

/** One of a block's outputs. */
interface BlockOutput {
  /** Place of the block in the pass, from 0. */
  readonly index: number;
  /** The first of its modules or parameters; undefined if it has none. */
  readonly owner: Module | Parameter | undefined;
  /** The output's name. */
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
 * @param seen - receives the copies, which belong to the caller.
 * @param nameOf - the name of an output; undefined to skip it.
 */
export function watchBlocks(
  seen: Record<string, tf.Tensor>,
  nameOf: (output: BlockOutput) => string | undefined,
): ForwardContext {
  let index = 0;
  return {
    ...inference,
    block(owners, inputs, fn) {
      const outputs = inference.block(owners, inputs, fn);
      const [owner] = Array.isArray(owners) ? owners : [owners];
      for (const [k, [name, tensor]] of Object.entries(outputs).entries()) {
        const known = nameOf({ index, owner, name, first: k === 0 });
        if (known !== undefined && tensor !== undefined) seen[known] = tf.keep(tensor.clone());
      }
      index += 1;
      return outputs;
    },
  };
}
