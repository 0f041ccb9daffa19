import type { TracedAttribute, TracedDtype } from './traced.js';

/** Values of a constant. */
export interface ConstantValues {
  readonly dtype: TracedDtype;
  readonly shape: readonly number[];
  /** Whether it is a parameter of the model, whose path its node then has as its name, and not a table that follows from sizes. */
  readonly weight: boolean;
  read(): Promise<Float32Array | Int32Array | Uint8Array>;
}

/** One operation of a graph, as TensorFlow's `NodeDef` has it. */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  /** `name`, or `name:k` for another output than the first. */
  readonly inputs: readonly string[];
  readonly attributes: readonly TracedAttribute[];
  /** Of a `Const`. */
  readonly constant?: ConstantValues;
  /** Of a `Const` of strings: a list, or one string without an axis. */
  readonly text?: string | readonly string[];
}

/** A tensor that enters or leaves a graph. */
export interface GraphPort {
  /** Of its node. */
  readonly node: string;
  readonly dtype: TracedDtype;
  /** -1 where any size goes. */
  readonly shape: readonly number[];
}

/** A way to call a graph. */
export interface Signature {
  readonly inputs: Readonly<Record<string, GraphPort>>;
  readonly outputs: Readonly<Record<string, GraphPort>>;
}

/** Nodes, each after those that it reads, and the ways to call them. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly signatures: Readonly<Record<string, Signature>>;
}

/** A weight that a SavedModel keeps outside its graph. */
export interface Variable {
  /** In the file of weights: the parameter's path in the model. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Names of nodes: the variable, what reads it, and what assigns the restored value. */
  readonly handle: string;
  readonly read: string;
  readonly assign: string;
}

/** Names of the nodes that TensorFlow runs to restore and to save variables. */
export interface Saver {
  /** A string: the path of the files, without their endings. */
  readonly filename: string;
  readonly save: string;
  readonly restore: string;
}
