/** Element types with their codes in TensorFlow's `DataType`. */
export const tensorflowTypes = { float32: 1, int32: 3, bool: 10 } as const;

export type TracedDtype = keyof typeof tensorflowTypes;

/** An attribute of an operation, in the form of TensorFlow's eager interface. */
export interface TracedAttribute {
  readonly name: string;
  readonly kind: 'string' | 'int' | 'float' | 'bool' | 'type' | 'shape';
  readonly value: unknown;
}

/** An output of a node. */
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
  /** Identifies the same array across traces, as for weights. */
  readonly identity: object;
  /** The values; those of a weight are available as long as the model lives. */
  read(): Promise<Float32Array | Int32Array | Uint8Array>;
}

export interface TracedOperation {
  readonly kind: 'operation';
  /** TensorFlow's operation name. */
  readonly op: string;
  readonly attributes: readonly TracedAttribute[];
  readonly inputs: readonly TracedEdge[];
  /** One per output. */
  readonly shapes: readonly (readonly number[])[];
  /** One per output. */
  readonly dtypes: readonly TracedDtype[];
}

export type TracedNode = TracedInput | TracedConstant | TracedOperation;

/** A function as a graph of TensorFlow operations. */
export interface Trace {
  /** In execution order, which is topological. */
  readonly operations: readonly TracedOperation[];
  readonly inputs: readonly TracedInput[];
  readonly outputs: ReadonlyMap<string, TracedEdge>;
}
