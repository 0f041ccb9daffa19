import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type KeyNaming, type NamedArray, openWeights, ourKeys, readJson } from '../io/index.js';
import { CheckpointError } from '../util/index.js';
import { type AdapterConfig, parseAdapterConfig } from './adapter-config.js';

/** The two files of an adapter. */
export const ADAPTER_CONFIG = 'adapter_config.json';
export const ADAPTER_WEIGHTS = 'adapter_model.safetensors';

/** PEFT writes every key below the two modules that it puts around the model. */
export const PEFT_PREFIX = 'base_model.model.';

export interface AdapterFile {
  /** What messages name. */
  readonly where: string;
  /** Absent where a file of weights comes without: what cannot be told from shapes is then as the paper has it, alpha = rank. */
  readonly config: AdapterConfig | undefined;
  /** By the path of the layer. */
  readonly adapters: ReadonlyMap<string, { readonly a?: NamedArray; readonly b?: NamedArray }>;
  /** Parameters that were trained whole, by path. */
  readonly whole: ReadonlyMap<string, NamedArray>;
}

/**
 * Reads an adapter as PEFT writes it: a folder with `adapter_config.json` and `adapter_model.safetensors` (or `.bin`), or a
 * file of weights alone, such as the `.pth` that the authors' training script leaves.
 *
 * @param namings - namings other than this project's that keys may be in.
 * @throws CheckpointError naming what is missing, damaged or no LoRA.
 */
export async function readAdapter(path: string, namings: readonly KeyNaming[]): Promise<AdapterFile> {
  const folder = await adapterFolder(path);
  const isFile = folder !== path;
  const where = isFile ? path : await weightsIn(path);
  const config = await configBeside(folder, isFile);
  const source = await openWeights(where);
  const adapters = new Map<string, { a?: NamedArray; b?: NamedArray }>();
  const whole = new Map<string, NamedArray>();
  try {
    for (const key of source.tensors.keys()) {
      const name = plainKey(key);
      if (name === undefined) continue;
      const [, layer, half] = /^(.*)\.lora_([AB])\.weight$/.exec(name) ?? [];
      const array = await source.read(key);
      if (layer === undefined) whole.set(translated(name, namings), array);
      else {
        const at = translated(`${layer}.weight`, namings).replace(/\.weight$/, '');
        adapters.set(at, { ...adapters.get(at), ...(half === 'A' ? { a: array } : { b: array }) });
      }
    }
  } finally {
    await source.close();
  }
  return { where, config, adapters, whole };
}

/**
 * The folder of an adapter: itself, or the one that a file of weights is in.
 *
 * @throws CheckpointError when there is nothing of that name.
 */
export async function adapterFolder(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined) return found.isFile() ? dirname(path) : path;
  const fix = 'Name the folder of an adapter (of a run: its best/), or a file of its weights';
  const file = /\.(pth|pt|bin|safetensors)$/.test(path) ? path : join(path, ADAPTER_CONFIG);
  throw new CheckpointError({ where: file, what: 'there is no such file', fix });
}

/** A key without what wrappers put around and into it; undefined for the untrained originals that some keep beside a copy. */
function plainKey(key: string): string | undefined {
  const bare = key.replace(/^module\./, '');
  const path = bare.startsWith(PEFT_PREFIX) ? bare.slice(PEFT_PREFIX.length) : bare;
  if (path.includes('.original_module.')) return undefined;
  return path.replace(/\.(lora_[AB])\.[^.]+\.weight$/, '.$1.weight').replace(/\.modules_to_save\.[^.]+\./, '.');
}

function translated(key: string, namings: readonly KeyNaming[]): string {
  for (const naming of namings) {
    const [own = key, ...others] = ourKeys(key, naming);
    if (others.length === 0 && own !== key) return own;
  }
  return key;
}

async function weightsIn(folder: string): Promise<string> {
  for (const name of [ADAPTER_WEIGHTS, 'adapter_model.bin']) {
    const file = join(folder, name);
    if ((await stat(file).catch(() => undefined)) !== undefined) return file;
  }
  return join(folder, ADAPTER_WEIGHTS);
}

async function configBeside(folder: string, optional: boolean): Promise<AdapterConfig | undefined> {
  const file = join(folder, ADAPTER_CONFIG);
  if (optional && (await stat(file).catch(() => undefined)) === undefined) return undefined;
  return parseAdapterConfig(await readJson(file, 'Copy it there: PEFT writes it beside the weights of an adapter'), file);
}
