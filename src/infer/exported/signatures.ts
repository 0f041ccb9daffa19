import type { LoadedSignature, tf } from '../../backend/index.js';
import { RuntimeError } from '../../util/index.js';
import type { ManifestPart } from './manifest.js';

/** Runs the signatures of an exported model. */
export interface Runner {
  /** @returns the outputs by name; they belong to the caller. */
  run(signature: string, inputs: Readonly<Record<string, tf.Tensor>>): Promise<Readonly<Record<string, tf.Tensor>>>;
  dispose(): void;
}

/**
 * Creates a runner for the signatures of a model, using `load`.
 *
 * @param ahead - signatures to load at once; if one fails, all are disposed. The others are loaded on first use. Default: all.
 */
export async function runnerOf(
  dir: string,
  { signatures }: Pick<ManifestPart, 'signatures'>,
  load: (file: string, signature: string) => Promise<LoadedSignature>,
  ahead: readonly string[] = Object.keys(signatures),
): Promise<Runner> {
  const loaded = new Map<string, LoadedSignature>();
  const get = async (name: string): Promise<LoadedSignature> => {
    const known = loaded.get(name);
    if (known !== undefined) return known;
    const file = signatures[name]?.file;
    if (file === undefined)
      throw new RuntimeError({ code: 'E_EXPORT_DAMAGED', where: dir, what: `the exported model has no signature ${name}` });
    const fresh = await load(file, name);
    // A concurrent call may have loaded it in the meantime.
    const other = loaded.get(name);
    if (other !== undefined) fresh.dispose();
    else loaded.set(name, fresh);
    return other ?? fresh;
  };
  const dispose = () => {
    for (const signature of loaded.values()) signature.dispose();
    loaded.clear();
  };
  try {
    for (const name of Object.keys(signatures)) if (ahead.includes(name)) await get(name);
  } catch (error) {
    dispose();
    throw error;
  }
  return { run: async (name, inputs) => (await get(name)).run(inputs), dispose };
}
