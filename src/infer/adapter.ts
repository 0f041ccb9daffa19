import { join } from 'node:path';
import { tf } from '../backend/index.js';
import { type NamedArray, readJson, readSafetensors, type TiedKeys, untie, writeSafetensors } from '../io/index.js';
import { adaptersIn, LoraLinear, type LoraSpec, type Place, placesFitting, placesIn, trainOnly, wrap } from '../lora/index.js';
import { Linear, type Module, type Parameter } from '../nn/index.js';
import { CheckpointError, writeFileAtomic } from '../util/index.js';
import { type AdapterConfig, alphaOf, parseAdapterConfig } from './adapter-config.js';

const CONFIG = 'adapter_config.json';
const WEIGHTS = 'adapter_model.safetensors';

/** PEFT writes every key below the two modules that it puts around the model. */
const PREFIX = 'base_model.model.';

/**
 * Writes the adapters of a model, and the modules that are trained whole, in PEFT's format: `adapter_config.json` and
 * `adapter_model.safetensors`. A shared layer is written once, under its first path.
 */
export async function saveAdapter(model: Module, dir: string, spec: LoraSpec): Promise<void> {
  const adapters = adaptersIn(model);
  const whole = outermost(placesFitting(placesIn(model), spec.trainFully ?? [], 'lora.trainFully'));
  const arrays = new Map<string, NamedArray>();
  const add = async (path: string, { value, layout }: Parameter) => {
    if (layout !== 'same')
      throw new CheckpointError({ where: path, what: 'only linear layers, norms and tables can be trained whole' });
    arrays.set(PREFIX + path, { dtype: 'float32', shape: value.shape, data: await value.data<'float32'>() });
  };
  for (const { module, paths } of adapters) {
    await add(`${paths[0]}.lora_A.weight`, module.loraA);
    await add(`${paths[0]}.lora_B.weight`, module.loraB);
  }
  const written = new Set<Parameter>();
  for (const { module, paths } of whole) {
    for (const [path, parameter] of module.namedParameters(paths[0])) {
      if (!written.has(parameter)) await add(path, parameter);
      written.add(parameter);
    }
  }
  const own = (pick: (adapter: LoraLinear) => number, common: number) =>
    Object.fromEntries(
      adapters.flatMap(({ module, paths: [path] }) => (pick(module) === common ? [] : [[escaped(path), pick(module)]])),
    );
  const config = {
    peft_type: 'LORA',
    task_type: null,
    base_model_name_or_path: null,
    inference_mode: true,
    r: spec.rank,
    lora_alpha: spec.alpha,
    lora_dropout: 0,
    bias: 'none',
    fan_in_fan_out: false,
    init_lora_weights: true,
    target_modules: adapters.map(({ paths }) => paths[0]),
    modules_to_save: whole.length === 0 ? null : whole.map(({ paths }) => paths[0]),
    rank_pattern: own(({ rank }) => rank, spec.rank),
    alpha_pattern: own(({ alpha }) => alpha, spec.alpha),
    use_rslora: false,
    use_dora: false,
  };
  await writeSafetensors(join(dir, WEIGHTS), arrays, { metadata: { format: 'pt' } });
  await writeFileAtomic(join(dir, CONFIG), `${JSON.stringify(config, null, 2)}\n`);
}

export interface AdapterOptions {
  /** Copies of shared modules that the file may hold; they must be equal. */
  readonly tied?: readonly TiedKeys[];
}

/**
 * Puts a saved adapter into a model: adapters into their places, and the values of modules that were trained whole.
 * Afterwards exactly these are trainable.
 *
 * @throws CheckpointError listing every key that does not fit the model.
 */
export async function loadAdapter(model: Module, dir: string, { tied = [] }: AdapterOptions = {}): Promise<void> {
  const config = parseAdapterConfig(await readJson(join(dir, CONFIG)), join(dir, CONFIG));
  const file = join(dir, WEIGHTS);
  const { arrays } = await readSafetensors(file);
  const places = new Map(placesIn(model).flatMap((place) => place.paths.map((path) => [path, place] as const)));
  const parameters = new Map(model.namedParameters());
  const { adapters, whole, problems } = sort(arrays, places, parameters, config, tied);
  if (problems.length > 0) {
    const fix = 'Check that the adapter was trained on this model';
    throw new CheckpointError({ where: file, what: `the adapter does not fit the model: ${problems.join('; ')}`, fix });
  }
  for (const { place, path, a, b } of adapters) {
    const rank = a.shape[0] as number;
    const adapter = wrap(model, place, { rank, alpha: alphaOf(config, path, rank) });
    assign(adapter.loraA, a);
    assign(adapter.loraB, b);
  }
  trainOnly(model, []);
  for (const { parameter, array } of whole) {
    assign(parameter, array);
    parameter.trainable = true;
  }
}

interface Sorted {
  readonly adapters: { place: Place; path: string; a: NamedArray; b: NamedArray }[];
  readonly whole: { parameter: Parameter; array: NamedArray }[];
  readonly problems: string[];
}

/** Finds the place of every array in the model, and everything that has none. */
function sort(
  arrays: ReadonlyMap<string, NamedArray>,
  places: ReadonlyMap<string, Place>,
  parameters: ReadonlyMap<string, Parameter>,
  config: AdapterConfig,
  tied: readonly TiedKeys[],
): Sorted {
  const adapters: Sorted['adapters'] = [];
  const whole: Sorted['whole'] = [];
  const problems: string[] = [];
  const taken = new Map<Module | Parameter, NamedArray>();
  /** The first copy of a shared array is taken, others must be equal to it. */
  const take = (owner: Module | Parameter, name: string, array: NamedArray): boolean => {
    const first = taken.get(owner);
    if (first === undefined) taken.set(owner, array);
    else if (!first.data.every((value, i) => value === array.data[i])) problems.push(`${name} should be a copy, but differs`);
    return first === undefined;
  };
  for (const [key, array] of arrays) {
    const bare = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : key;
    const [, written, half] = /^(.*)\.lora_([AB])\.weight$/.exec(bare) ?? [];
    if (written === undefined) {
      const name = untie(bare, parameters, tied);
      const parameter = parameters.get(name);
      if (parameter === undefined) problems.push(`${bare} is unexpected`);
      else if (parameter.shape.join() !== array.shape.join()) problems.push(misshapen(name, parameter.shape, array.shape));
      else if (take(parameter, bare, array)) whole.push({ parameter, array });
      continue;
    }
    const other = arrays.get(key.replace(/lora_[AB]\.weight$/, `lora_${half === 'A' ? 'B' : 'A'}.weight`));
    if (other === undefined) problems.push(`${bare} comes alone`);
    if (half === 'B' || other === undefined) continue;
    const path = untie(written, places, tied);
    const place = places.get(path);
    const problem = unfit(path, place, array, other);
    if (problem !== undefined) problems.push(problem);
    else if (place !== undefined && take(place.module, bare, array)) adapters.push({ place, path: written, a: array, b: other });
  }
  if (Array.isArray(config.target_modules) && adapters.length === 0 && problems.length === 0)
    problems.push('it holds no adapter');
  return { adapters, whole, problems };
}

function unfit(path: string, place: Place | undefined, a: NamedArray, b: NamedArray): string | undefined {
  if (place === undefined) return `${path} is not in the model`;
  const { module } = place;
  if (module instanceof LoraLinear) return `${path} has an adapter already`;
  if (!(module instanceof Linear)) return `${path} is not a linear layer`;
  const rank = a.shape[0] ?? 0;
  const wanted = { a: [rank, module.inFeatures], b: [module.outFeatures, rank] };
  if (a.shape.join() !== wanted.a.join()) return misshapen(`${path}.lora_A.weight`, wanted.a, a.shape);
  if (b.shape.join() !== wanted.b.join()) return misshapen(`${path}.lora_B.weight`, wanted.b, b.shape);
  return undefined;
}

function misshapen(name: string, expected: readonly number[], got: readonly number[]): string {
  return `${name}: expected shape [${expected.join(', ')}], got [${got.join(', ')}]`;
}

/** The places that lie inside no other one. */
function outermost(places: readonly Place[]): Place[] {
  const inside = new Set(
    places.flatMap(({ module }) => [...module.namedModules()].flatMap(([, below]) => (below === module ? [] : [below]))),
  );
  return places.filter(({ module }) => !inside.has(module));
}

function escaped(path: string): string {
  return path.replace(/\./g, '\\.');
}

function assign(parameter: Parameter, { data, shape, dtype }: NamedArray): void {
  tf.tidy(() => parameter.assign(tf.tensor(data, [...shape], dtype)));
}
