import { createRequire } from 'node:module';
import { RuntimeError } from '../util/index.js';
import { tf } from './tf.js';

/** A loaded signature of a SavedModel. */
export interface LoadedSignature {
  /** @returns the outputs by name; they belong to the caller. */
  run(inputs: Readonly<Record<string, tf.Tensor>>): Readonly<Record<string, tf.Tensor>>;
  dispose(): void;
}

interface NativeSavedModel {
  predict(inputs: tf.NamedTensorMap): tf.NamedTensorMap;
  dispose(): void;
}

interface NativeModule {
  readonly node: { loadSavedModel(path: string, tags: string[], signature: string): Promise<NativeSavedModel> };
}

const require = createRequire(import.meta.url);

/**
 * Loads a signature of a SavedModel with TensorFlow itself; signatures of the same folder share their weights.
 *
 * @throws RuntimeError when the current backend is not the native one, or with TensorFlow's reason why loading failed.
 */
export async function loadSavedModel(dir: string, signature: string): Promise<LoadedSignature> {
  if (tf.getBackend() !== 'tensorflow')
    throw new RuntimeError({
      code: 'E_BACKEND_NEEDED',
      where: dir,
      what: `a SavedModel needs the native TensorFlow backend, this is ${tf.getBackend()}`,
      fix: 'Install native TensorFlow, or export it as graph-model, which runs on every backend',
    });
  const { node } = require('@tensorflow/tfjs-node-gpu') as NativeModule;
  try {
    const model = await node.loadSavedModel(dir, ['serve'], signature);
    return { run: (inputs) => model.predict({ ...inputs }), dispose: () => model.dispose() };
  } catch (cause) {
    const what = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new RuntimeError({
      code: 'E_EXPORT_DAMAGED',
      where: dir,
      what: `TensorFlow cannot load it (${what})`,
      fix: 'Export the model again',
      cause,
    });
  }
}
