import { tf } from '../tf.js';
import type { NativeBackend } from './native-backend.js';

/** What the kinds of kernels of `native/vector-kernels.cc` are called by people. */
const NAMES: Readonly<Record<string, string>> = {
  amx: 'AVX-512 and the matrix unit (AMX)',
  avx512: 'AVX-512',
  avx2: 'AVX2',
  portable: 'no vectors',
};

/** Which of the processor's means the native operations use, in words. They must be loaded, TensorFlow be the backend. */
export function nativeProcessor(): string {
  const native = tf.backend() as unknown as NativeBackend & { readSync(id: tf.DataId): Uint8Array[] };
  return tf.tidy(() => {
    const name = native.executeSingleOutput('SonogroundProcessor', [], []) as unknown as tf.Tensor;
    const [text] = native.readSync(name.dataId);
    const key = new TextDecoder().decode(text);
    return NAMES[key] ?? key;
  });
}
