import { tf } from '../backend/index.js';
import { fromTorchLayout, type NamedArray, torchShape, untie } from '../io/index.js';
import { LoraLinear, type Place, placesIn, rememberBase, trainOnly, wrap } from '../lora/index.js';
import { Linear, type Module, type Parameter } from '../nn/index.js';
import { CheckpointError } from '../util/index.js';
import { alphaOf, rankOf } from './adapter-config.js';
import { type AdapterFile, readAdapter } from './adapter-file.js';
import { type AdapterNaming, namingOf } from './adapter-naming.js';

/**
 * Puts a saved adapter into a model: adapters into their places, and the values of modules that were trained whole.
 * Afterwards exactly these are trainable.
 *
 * @param path - a folder as PEFT writes it, or a file of weights alone (for Grounding DINO also in the authors' naming);
 * without a configuration alpha is the rank, as in the published code.
 * @throws CheckpointError listing every key that does not fit the model.
 */
export async function loadAdapter(model: Module, path: string): Promise<void> {
  const naming = namingOf(model);
  const file = await readAdapter(path, naming.namings);
  const { adapters, whole, problems } = fit(model, file, naming);
  if (problems.length > 0) {
    const fix = 'Check that the adapter was trained on this model';
    throw new CheckpointError({ where: file.where, what: `the adapter does not fit the model: ${problems.join('; ')}`, fix });
  }
  for (const { place, written, a, b } of adapters) {
    const rank = a.shape[0] as number;
    const alpha = file.config === undefined ? rank : alphaOf(file.config, written, rank);
    const adapter = wrap(model, place, { rank, alpha, dropout: file.config?.lora_dropout ?? 0 });
    assign(adapter.loraA, a);
    assign(adapter.loraB, b);
  }
  trainOnly(model, []);
  for (const { parameter, array } of whole) {
    const base = await parameter.value.data<'float32'>();
    assign(parameter, array);
    rememberBase(parameter, { base, tuned: await parameter.value.data<'float32'>() });
    parameter.trainable = true;
  }
}

interface Fitted {
  readonly adapters: { readonly place: Place; readonly written: string; readonly a: NamedArray; readonly b: NamedArray }[];
  readonly whole: { readonly parameter: Parameter; readonly array: NamedArray }[];
  readonly problems: string[];
}

/** Finds the place of every array in the model, and everything that has none. */
function fit(model: Module, file: AdapterFile, { tied }: AdapterNaming): Fitted {
  const places = new Map(placesIn(model).flatMap((place) => place.paths.map((path) => [path, place] as const)));
  const parameters = new Map(model.namedParameters());
  const fitted: Fitted = { adapters: [], whole: [], problems: [] };
  const taken = new Map<Module | Parameter, readonly NamedArray[]>();
  /** The first copy of a shared module is taken, others must be equal to it. */
  const take = (owner: Module | Parameter, name: string, arrays: readonly NamedArray[]): boolean => {
    const first = taken.get(owner);
    if (first === undefined) taken.set(owner, arrays);
    else if (!arrays.every((array, i) => equal(array, first[i]))) fitted.problems.push(`${name} should be a copy, but differs`);
    return first === undefined;
  };
  for (const [written, { a, b }] of file.adapters) {
    const path = untie(written, places, tied);
    const place = places.get(path);
    const problem = unfit(path, place, a, b) ?? wrongRank(file, written, a);
    if (problem !== undefined) fitted.problems.push(problem);
    else if (place && a && b && take(place.module, written, [a, b])) fitted.adapters.push({ place, written, a, b });
  }
  for (const [written, array] of file.whole) {
    const parameter = parameters.get(untie(written, parameters, tied));
    const shape = parameter && torchShape(parameter.shape, parameter.layout);
    if (parameter === undefined || shape === undefined) fitted.problems.push(`${written} is unexpected`);
    else if (shape.join() !== array.shape.join()) fitted.problems.push(misshapen(written, shape, array.shape));
    else if (take(parameter, written, [array])) fitted.whole.push({ parameter, array });
  }
  if (file.adapters.size === 0 && file.whole.size === 0) fitted.problems.push('it holds nothing');
  else if (file.adapters.size === 0 && file.config?.target_modules?.length) fitted.problems.push('it holds no adapter');
  return fitted;
}

function unfit(path: string, place: Place | undefined, a?: NamedArray, b?: NamedArray): string | undefined {
  if (a === undefined || b === undefined) return `${path}.lora_${a === undefined ? 'B' : 'A'}.weight comes alone`;
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

function wrongRank({ config }: AdapterFile, path: string, a: NamedArray | undefined): string | undefined {
  const rank = config && rankOf(config, path);
  return rank === undefined || rank === a?.shape[0]
    ? undefined
    : `${path} has rank ${a?.shape[0]}, its configuration says ${rank}`;
}

function misshapen(name: string, expected: readonly number[], got: readonly number[]): string {
  return `${name}: expected shape [${expected.join(', ')}], got [${got.join(', ')}]`;
}

function equal(one: NamedArray, other: NamedArray | undefined): boolean {
  return one.data.length === other?.data.length && one.data.every((value, i) => value === other.data[i]);
}

function assign(parameter: Parameter, { data, shape }: NamedArray): void {
  tf.tidy(() => parameter.assign(fromTorchLayout(tf.tensor(data, [...shape], 'float32'), parameter.layout)));
}
