import type { tf } from '../tf.js';

/** The part of the untyped native backend that custom kernels need. */
export interface NativeBackend {
  readonly binding: Readonly<
    Record<'TF_ATTR_BOOL' | 'TF_ATTR_TYPE' | 'TF_ATTR_FLOAT' | 'TF_ATTR_INT' | 'TF_ATTR_STRING' | 'TF_FLOAT', number>
  >;
  /** Runs a TensorFlow operation by name. */
  executeSingleOutput(name: string, attributes: readonly NativeAttribute[], inputs: readonly tf.TensorInfo[]): tf.TensorInfo;
  executeMultipleOutputs(
    name: string,
    attributes: readonly NativeAttribute[],
    inputs: readonly tf.TensorInfo[],
    outputs: number,
  ): tf.TensorInfo[];
}

export interface NativeAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}
