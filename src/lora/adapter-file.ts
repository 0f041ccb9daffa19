import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CheckpointError, shownName } from '../util/index.js';
import { type KeyNaming, openWeights, ourKeys, readJson, type WeightSource } from '../weights/index.js';
import { type AdapterConfig, parseAdapterConfig } from './adapter-config.js';

/** The file names of an adapter. */
export const ADAPTER_CONFIG = 'adapter_config.json';
export const ADAPTER_WEIGHTS = 'adapter_model.safetensors';

/** Prefix of every key in PEFT's files, from the two modules that wrap the model. */
export const PEFT_PREFIX = 'base_model.model.';

/** A tensor that is read on demand. */
export interface AdapterTensor {
  /** Key in the file. */
  readonly key: string;
  readonly shape: readonly number[];
}

/** The two matrices of a layer. */
export interface AdapterHalves {
  /** The layer's path in the file and its configuration, possibly in another naming than the model's. */
  readonly written: string;
  readonly a?: AdapterTensor;
  readonly b?: AdapterTensor;
}

/** An open adapter: the index is read, values are read one by one. Close its weights after use. */
export interface AdapterFile {
  /** Path for messages. */
  readonly where: string;
  /** Absent for a bare weight file: alpha then equals the rank, as in the paper. */
  readonly config: AdapterConfig | undefined;
  readonly weights: WeightSource;
  /** By layer path. */
  readonly adapters: ReadonlyMap<string, AdapterHalves>;
  /** Fully trained parameters, by path. */
  readonly whole: ReadonlyMap<string, AdapterTensor>;
  /** Names that occur twice in the file. */
  readonly repeated: readonly string[];
}

/**
 * Opens an adapter in PEFT's format: a folder with `adapter_config.json` and `adapter_model.safetensors` (or `.bin`), or a bare
 * weight file, such as the `.pth` of the authors' training script.
 *
 * @param namings - other key namings to recognise, besides this project's.
 * @throws CheckpointError naming what is missing, damaged or not LoRA.
 */
export async function openAdapter(path: string, namings: readonly KeyNaming[]): Promise<AdapterFile> {
  const folder = await adapterFolder(path);
  const isFile = folder !== path;
  const where = isFile ? path : await weightsIn(path);
  const config = await configBeside(folder, isFile);
  const weights = await openWeights(where);
  return { where, config, weights, ...contentsOf(weights, namings) };
}

function contentsOf(
  { tensors }: WeightSource,
  namings: readonly KeyNaming[],
): Pick<AdapterFile, 'adapters' | 'whole' | 'repeated'> {
  const adapters = new Map<string, AdapterHalves>();
  const whole = new Map<string, AdapterTensor>();
  const repeated: string[] = [];
  for (const [key, { shape }] of tensors) {
    const name = plainKey(key);
    if (name === undefined) continue;
    const [, layer, letter] = /^(.*)\.lora_([AB])\.weight$/.exec(name) ?? [];
    if (layer === undefined) {
      const at = translated(name, namings);
      if (whole.has(at)) repeated.push(name);
      whole.set(at, { key, shape });
    } else {
      const at = translated(`${layer}.weight`, namings).replace(/\.weight$/, '');
      const half = letter === 'A' ? 'a' : 'b';
      const known = adapters.get(at);
      if (known?.[half] !== undefined) repeated.push(name);
      adapters.set(at, { ...known, written: layer, [half]: { key, shape } });
    }
  }
  return { adapters, whole, repeated };
}

/**
 * The folder of an adapter: the path itself, or the parent folder of a weight file.
 *
 * @throws CheckpointError when the path does not exist.
 */
export async function adapterFolder(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined) return found.isFile() ? dirname(path) : path;
  const fix = 'Name the folder of an adapter (of a run: its best/), or a file of its weights';
  const file = /\.(pth|pt|bin|safetensors)$/.test(path) ? path : join(path, ADAPTER_CONFIG);
  throw new CheckpointError({ code: 'E_ADAPTER_NOT_FOUND', where: file, what: 'there is no such file', fix });
}

/** Strips the path components that wrappers add; undefined for the untrained originals that some wrappers keep beside a copy. */
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

/** Name of a layer's matrix in errors. */
export function halfName(path: string, half: 'A' | 'B'): string {
  return `${shownName(path)}.lora_${half}.weight`;
}
