import { tf } from '../tf.js';
import type { NativeBackend } from './native-backend.js';

/** Readable names of the kernel variants (`native/kernels.cc`). */
const NAMES: Readonly<Record<string, string>> = {
  amx: 'AVX-512 and AMX',
  avx512bf16: 'AVX-512 with bfloat16',
  avx512: 'AVX-512',
  avx2: 'AVX2',
  portable: 'no vectors',
};

/** The instruction sets used by the native operations, for display. They must be loaded, with TensorFlow as the backend. */
export function nativeProcessor(): string {
  const key = kind();
  return NAMES[key] ?? key;
}

/** Whether they multiply with AMX. */
export function usesAmx(): boolean {
  return kind() === 'amx';
}

function kind(): string {
  const native = tf.backend() as unknown as NativeBackend & { readSync(id: tf.DataId): Uint8Array[] };
  return tf.tidy(() => {
    const name = native.executeSingleOutput('SonogroundProcessor', [], []) as unknown as tf.Tensor;
    const [text] = native.readSync(name.dataId);
    return new TextDecoder().decode(text);
  });
}
