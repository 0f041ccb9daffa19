import type { TracedAttribute, TracedDtype } from './traced.js';

/** Values of a constant. */
export interface ConstantValues {
  readonly dtype: TracedDtype;
  readonly shape: readonly number[];
  /** Whether it is a parameter of the model, named by its path, rather than a table derived from sizes. */
  readonly weight: boolean;
  read(): Promise<Float32Array | Int32Array | Uint8Array>;
}

/** One operation of a graph; TensorFlow's `NodeDef`. */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  /** `name`, or `name:k` for an output other than the first. */
  readonly inputs: readonly string[];
  readonly attributes: readonly TracedAttribute[];
  /** Only for `Const`. */
  readonly constant?: ConstantValues;
  /** Only for `Const` with strings: a list, or a single string for a scalar. */
  readonly text?: string | readonly string[];
}

/** An input or output of a graph. */
export interface GraphPort {
  /** Name of its node. */
  readonly node: string;
  readonly dtype: TracedDtype;
  /** -1 for dynamic sizes. */
  readonly shape: readonly number[];
}

/** A callable signature of a graph. */
export interface Signature {
  readonly inputs: Readonly<Record<string, GraphPort>>;
  readonly outputs: Readonly<Record<string, GraphPort>>;
}

/** Nodes in topological order, and their signatures. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly signatures: Readonly<Record<string, Signature>>;
}

/** A weight that a SavedModel stores outside its graph. */
export interface Variable {
  /** Name in the weight file: the parameter's path in the model. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Node names: the variable, its read operation, and the assignment of the restored value. */
  readonly handle: string;
  readonly read: string;
  readonly assign: string;
}

/** Names of the nodes that TensorFlow runs to restore and save variables. */
export interface Saver {
  /** A string: the path of the files, without their extensions. */
  readonly filename: string;
  readonly save: string;
  readonly restore: string;
}
