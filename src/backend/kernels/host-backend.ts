import type { tf } from '../tf.js';

/** What the kernels written or borrowed here need of a backend that keeps its values in this process's memory. */
export interface HostBackend {
  /** The values of a tensor; not to be changed. */
  readSync(dataId: tf.DataId): Float32Array | Int32Array | Uint8Array;
  /** Takes values in and returns their handle, held once. */
  write(values: Float32Array | Int32Array | Uint8Array, shape: number[], dtype: tf.DataType): tf.DataId;
  /** Lets go of a handle. */
  disposeData(dataId: tf.DataId): boolean;
}
