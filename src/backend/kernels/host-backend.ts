import type { tf } from '../tf.js';

/** The interface that custom and borrowed kernels need of a backend with its values in host memory. */
export interface HostBackend {
  /** The values of a tensor; read-only. */
  readSync(dataId: tf.DataId): Float32Array | Int32Array | Uint8Array;
  /** Stores values and returns their handle, with a reference count of one. */
  write(values: Float32Array | Int32Array | Uint8Array, shape: number[], dtype: tf.DataType): tf.DataId;
  /** Releases a handle. */
  disposeData(dataId: tf.DataId): boolean;
}
