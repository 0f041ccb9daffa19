import type { TracedAttribute, TracedDtype } from '../backend/index.js';

/** Values of a constant. */
export interface ConstantValues {
  readonly dtype: TracedDtype;
  readonly shape: readonly number[];
  /** Whether it is a parameter of the model, and not a table that follows from sizes. */
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
