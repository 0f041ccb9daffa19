import type { LoadedSignature, tf } from '../../backend/index.js';
import { RuntimeError } from '../../util/index.js';
import type { ManifestPart } from './manifest.js';

/** Runs the signatures of an exported model. */
export interface Runner {
  /** @returns the outputs by name; they are the caller's. */
  run(signature: string, inputs: Readonly<Record<string, tf.Tensor>>): Promise<Readonly<Record<string, tf.Tensor>>>;
  dispose(): void;
}

/** Loads all signatures of a model; if one cannot be loaded, none stays. */
export async function runnerOf(
  dir: string,
  { signatures }: Pick<ManifestPart, 'signatures'>,
  load: (file: string, signature: string) => Promise<LoadedSignature>,
): Promise<Runner> {
  const loaded = new Map<string, LoadedSignature>();
  const dispose = () => {
    for (const signature of loaded.values()) signature.dispose();
    loaded.clear();
  };
  try {
    for (const [name, { file }] of Object.entries(signatures)) loaded.set(name, await load(file, name));
  } catch (error) {
    dispose();
    throw error;
  }
  return {
    async run(name, inputs) {
      const signature = loaded.get(name);
      if (signature === undefined) throw new RuntimeError({ where: dir, what: `the exported model has no signature ${name}` });
      return signature.run(inputs);
    },
    dispose,
  };
}
