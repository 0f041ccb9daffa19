import type { AdapterConfig } from '../lora/index.js';
import {
  type AdapterFile,
  type AdapterHalves,
  type AdapterTensor,
  halfName,
  LoraLinear,
  PEFT_PREFIX,
  type Place,
  placesIn,
} from '../lora/index.js';
import { Linear, type Module, type Parameter } from '../nn/index.js';
import { shownName, shownShape } from '../util/index.js';
import { theirKey, torchShape, untie } from '../weights/index.js';
import { type AdapterNaming, pythonPaths } from './adapter-naming.js';

/** Names listed per problem. */
const LISTED = 8;

/** A linear layer with its two matrices, and copies of them that must be equal. */
interface FittedAdapter {
  readonly place: Place;
  /** The layer's name in the configuration. */
  readonly written: string;
  readonly a: AdapterTensor;
  readonly b: AdapterTensor;
  readonly copies: { readonly name: string; readonly a: AdapterTensor; readonly b: AdapterTensor }[];
}

/** A parameter with its values, and copies of them that must be equal. */
interface FittedWhole {
  readonly parameter: Parameter;
  readonly tensor: AdapterTensor;
  readonly copies: { readonly name: string; readonly tensor: AdapterTensor }[];
}

export interface FittedAdapters {
  readonly adapters: readonly FittedAdapter[];
  readonly whole: readonly FittedWhole[];
  readonly problems: readonly string[];
}

/**
 * Assigns every tensor to its place in the model, looking only at shapes, and collects those without one. Also compares with the
 * configuration: the file must contain exactly the layers that it names.
 */
export function fitAdapter(model: Module, file: AdapterFile, naming: AdapterNaming): FittedAdapters {
  const places = new Map(placesIn(model).flatMap((place) => place.paths.map((path) => [path, place] as const)));
  const parameters = new Map(model.namedParameters());
  const adapters = new Map<Module, FittedAdapter>();
  const whole = new Map<Parameter, FittedWhole>();
  const problems = file.repeated.map((name) => `${shownName(name)} is there twice`);
  for (const [path, halves] of file.adapters) {
    const place = places.get(untie(path, places, naming.tied));
    const { a, b, written } = halves;
    const problem = unfit(path, place, halves) ?? wrongRank(file.config, written, a);
    if (problem !== undefined) problems.push(problem);
    else if (place && a && b) {
      const first = adapters.get(place.module);
      if (first === undefined) adapters.set(place.module, { place, written, a, b, copies: [] });
      else first.copies.push({ name: path, a, b });
    }
  }
  for (const [written, tensor] of file.whole) {
    const parameter = parameters.get(untie(written, parameters, naming.tied));
    const shape = parameter && torchShape(parameter.shape, parameter.layout);
    if (parameter === undefined || shape === undefined) problems.push(`${shownName(written)} is unexpected`);
    else if (shape.join() !== tensor.shape.join()) problems.push(misshapen(shownName(written), shape, tensor.shape));
    else {
      const first = whole.get(parameter);
      if (first === undefined) whole.set(parameter, { parameter, tensor, copies: [] });
      else first.copies.push({ name: written, tensor });
    }
  }
  if (file.adapters.size === 0 && file.whole.size === 0) problems.push('it holds nothing');
  else if (file.config !== undefined && problems.length === 0)
    problems.push(...disagreements(placesIn(model), file.config, namesReader(file, naming), { adapters, whole }));
  return { adapters: [...adapters.values()], whole: [...whole.values()], problems };
}

function unfit(path: string, place: Place | undefined, { a, b }: AdapterHalves): string | undefined {
  if (a === undefined || b === undefined) return `${halfName(path, a === undefined ? 'B' : 'A')} comes alone`;
  if (place === undefined) return `${shownName(path)} is not in the model`;
  const { module } = place;
  if (module instanceof LoraLinear) return `${path} has an adapter already`;
  if (!(module instanceof Linear)) return `${path} is not a linear layer`;
  const rank = a.shape[0] ?? 0;
  if (rank === 0) return `${path} has rank 0`;
  const wanted = { a: [rank, module.inFeatures], b: [module.outFeatures, rank] };
  if (a.shape.join() !== wanted.a.join()) return misshapen(halfName(path, 'A'), wanted.a, a.shape);
  if (b.shape.join() !== wanted.b.join()) return misshapen(halfName(path, 'B'), wanted.b, b.shape);
  return undefined;
}

function wrongRank(config: AdapterConfig | undefined, path: string, a: AdapterTensor | undefined): string | undefined {
  const rank = config?.rankOf(path);
  return rank === undefined || rank === a?.shape[0]
    ? undefined
    : `${shownName(path)} has rank ${a?.shape[0]}, its configuration says ${rank}`;
}

/** Layers named by the configuration but missing from the file, and the reverse. */
function disagreements(
  places: readonly Place[],
  { targets, savesWhole }: AdapterConfig,
  namesOf: (place: Place) => readonly string[],
  { adapters, whole }: { readonly adapters: ReadonlyMap<Module, FittedAdapter>; readonly whole: ReadonlyMap<Parameter, unknown> },
): string[] {
  const problems: string[] = [];
  if (targets !== undefined) {
    const linear = places.filter(({ module }) => module instanceof Linear || module instanceof LoraLinear);
    const named = linear.filter((place) => namesOf(place).some(targets));
    const missing = named.filter(({ module }) => !adapters.has(module)).map(({ paths: [path] }) => path);
    if (missing.length > 0)
      problems.push(`${missing.length} of the ${named.length} layers that target_modules names are missing: ${list(missing)}`);
    const known = new Set(named.map(({ module }) => module));
    const more = [...adapters.values()].filter(({ place, written }) => !known.has(place.module) && !targets(written));
    if (more.length > 0)
      problems.push(`${more.length} layers are there that target_modules does not name: ${list(more.map((one) => one.written))}`);
  }
  const saved = places.filter((place) => namesOf(place).some((path) => savesWhole(PEFT_PREFIX + path)));
  const owned = saved.flatMap(({ module, paths: [path] }) => [...module.namedParameters(path)]);
  const lost = new Map(owned.flatMap(([path, parameter]) => (whole.has(parameter) ? [] : [[parameter, path] as const])));
  if (lost.size > 0) problems.push(`${lost.size} weights below modules_to_save are missing: ${list([...lost.values()])}`);
  return problems;
}

/** The names that a configuration may use for a module: its paths here and in Python, or those of the file's own naming. */
function namesReader(file: AdapterFile, { namings, adapterPaths }: AdapterNaming): (place: Place) => readonly string[] {
  const own = ({ paths }: Place) => [...new Set(paths.flatMap((path) => [path, ...pythonPaths(path, adapterPaths)]))];
  const foreign = [...file.adapters].some(([path, { written }]) => path !== written);
  if (!foreign) return own;
  const renamed = (path: string) => namings.map((naming) => theirKey(`${path}.weight`, naming).replace(/\.weight$/, ''));
  return (place) => own(place).flatMap(renamed);
}

function misshapen(name: string, expected: readonly number[], got: readonly number[]): string {
  return `${name}: expected shape ${shownShape(expected)}, got ${shownShape(got)}`;
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, LISTED).map(shownName).join(', ');
  return names.length > LISTED ? `${shown} and ${names.length - LISTED} more` : shown;
}
