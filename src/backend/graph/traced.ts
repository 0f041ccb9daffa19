/** Element types by their number in TensorFlow's `DataType`. */
export const tensorflowTypes = { float32: 1, int32: 3, bool: 10 } as const;

export type TracedDtype = keyof typeof tensorflowTypes;

/** An attribute of an operation, as TensorFlow's eager interface takes it. */
export interface TracedAttribute {
  readonly name: string;
  readonly kind: 'string' | 'int' | 'float' | 'bool' | 'type' | 'shape';
  readonly value: unknown;
}

/** Which output of which node. */
export interface TracedEdge {
  readonly node: TracedNode;
  readonly output: number;
}

export interface TracedInput {
  readonly kind: 'input';
  readonly name: string;
  readonly dtype: TracedDtype;
  readonly shape: readonly number[];
}

export interface TracedConstant {
  readonly kind: 'constant';
  readonly dtype: TracedDtype;
  readonly shape: readonly number[];
  /** What it is the same array as in other traces: weights keep theirs. */
  readonly identity: object;
  /** The values; of a weight as long as the model lives. */
  read(): Promise<Float32Array | Int32Array | Uint8Array>;
}

export interface TracedOperation {
  readonly kind: 'operation';
  /** TensorFlow's name for it. */
  readonly op: string;
  readonly attributes: readonly TracedAttribute[];
  readonly inputs: readonly TracedEdge[];
  /** Of each output. */
  readonly shapes: readonly (readonly number[])[];
  /** Of each output. */
  readonly dtypes: readonly TracedDtype[];
}

export type TracedNode = TracedInput | TracedConstant | TracedOperation;

/** What a function did to its inputs, as a graph of TensorFlow operations. */
export interface Trace {
  /** In the order in which they ran: each after those that it reads. */
  readonly operations: readonly TracedOperation[];
  readonly inputs: readonly TracedInput[];
  readonly outputs: ReadonlyMap<string, TracedEdge>;
}
