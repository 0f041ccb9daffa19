import { handOver, tf } from '../backend/index.js';
import type { Module, Parameter } from '../nn/index.js';
import { CheckpointError, matchesPattern, nearest, shownName, shownShape } from '../util/index.js';
import { FiniteCheck } from './finite.js';
import { type NamedArray, writeSafetensors } from './formats/index.js';
import type { KeyNaming } from './key-naming.js';
import { fromTorchLayout, torchShape, toTorchLayout } from './layout.js';
import { underOurKeys } from './renamed-source.js';
import { sameValues } from './rows.js';
import { openWeights, type WeightSource } from './weights.js';

/** Another path under which a checkpoint may store the same weights. */
export interface TiedKeys {
  /** Path pattern of the copy's prefix, as in `util/path-pattern`. */
  readonly copy: string;
  /** The prefix that replaces it. */
  readonly of: string;
}

export interface LoadOptions {
  /** Patterns of optional keys that no parameter uses. */
  readonly ignore?: readonly string[];
  /** Patterns of keys in this particular checkpoint that no parameter uses; one that matches nothing is an error. */
  readonly discard?: readonly string[];
  /** Copies that are accepted if they are equal. */
  readonly tied?: readonly TiedKeys[];
  /** Substitutes for parameters that the checkpoint omits because they equal others. */
  readonly shared?: readonly TiedKeys[];
  /** Other namings to recognise. */
  readonly namings?: readonly KeyNaming[];
}

/** Number of keys listed in an error. */
const LISTED = 8;

/** A parameter and the checkpoint keys that contain it. */
interface Source {
  readonly parameter: Parameter;
  readonly key: string;
  readonly copies: readonly string[];
}

/**
 * Loads all parameters of a module, except adapters, from a safetensors or torch file, an index of shards, or a model directory.
 * Strict: every key is used once, every parameter is set once, shapes are equal. A parameter that is reachable along several
 * paths may be stored under any of them; several copies must be equal. Tensors are read one by one.
 *
 * @throws CheckpointError listing all missing, unexpected and misshapen keys at once, or all weights with NaN or infinite values.
 */
export async function loadCheckpoint(module: Module, path: string, options: LoadOptions = {}): Promise<void> {
  const opened = await openWeights(path);
  try {
    const weights = underOurKeys(opened, options.namings ?? []);
    const { sources, problems } = match(module, weights, options);
    if (problems.length > 0) throw misfit(weights.path, problems);
    const finite = new FiniteCheck();
    for (const { parameter, key, copies } of sources) {
      const array = await weights.read(key);
      finite.look(weights.fileOf(key), key, array);
      for (const copy of copies) {
        if (!sameValues(array, await weights.read(copy))) problems.push(`${copy} should be a copy of ${key}, but differs`);
      }
      assign(parameter, array);
    }
    finite.check();
    if (problems.length > 0) throw misfit(weights.path, problems);
  } finally {
    await opened.close();
  }
}

/**
 * Writes all parameters of a module, except adapters, in torch's layouts, each under its first path: the same keys, and for
 * float32 the same bytes, as the reference's `save_pretrained`.
 */
export async function saveCheckpoint(
  module: Module,
  path: string,
  { half = false }: { readonly half?: boolean } = {},
): Promise<void> {
  const arrays = new Map<string, NamedArray>();
  for (const [parameter, [key]] of keysOf(module)) {
    const stored = toTorchLayout(parameter.value, parameter.layout);
    arrays.set(key, { dtype: 'float32', shape: stored.shape, data: await stored.data<'float32'>() });
    stored.dispose();
  }
  await writeSafetensors(path, arrays, { metadata: { format: 'pt' }, half });
}

/** Matches parameters with keys, and collects mismatches. */
function match(
  module: Module,
  { tensors }: WeightSource,
  { ignore = [], discard = [], tied = [], shared = [] }: LoadOptions,
): { sources: Source[]; problems: string[] } {
  const problems: string[] = [];
  const sources: Source[] = [];
  const missing: string[] = [];
  const parameters = keysOf(module);
  const copies = copiesIn(tensors.keys(), parameters, tied);
  const unused = new Set([...tensors.keys()].filter((key) => !fits(key, [...ignore, ...discard])));
  for (const [parameter, own] of parameters) {
    const present = [...own, ...(copies.get(own[0]) ?? [])].filter((name) => tensors.has(name));
    const [key, ...others] = present.length > 0 ? present : [untieOnce(own[0], shared)].filter((name) => tensors.has(name));
    if (key === undefined) {
      missing.push(own[0]);
      continue;
    }
    for (const name of [key, ...others]) {
      unused.delete(name);
      const problem = misshapen(parameter, name, tensors.get(name)?.shape ?? []);
      if (problem !== undefined) problems.push(problem);
    }
    sources.push({ parameter, key, copies: others });
  }
  for (const pattern of discard) {
    if (![...tensors.keys()].some((key) => matchesPattern(key, pattern)))
      problems.push(`${pattern}, to be discarded, fits no key`);
  }
  if (missing.length > 0) problems.unshift(`${missing.length} missing: ${list(missing)}`);
  if (unused.size > 0) problems.unshift(`${unused.size} unexpected: ${list([...unused])}${hint(unused, missing)}`);
  return { sources, problems };
}

/** The distinct parameters of the model itself, each with all its paths. */
function keysOf(module: Module): Map<Parameter, [string, ...string[]]> {
  const keys = new Map<Parameter, [string, ...string[]]>();
  for (const [path, parameter] of module.namedParameters()) {
    if (parameter.adapter) continue;
    const known = keys.get(parameter);
    if (known === undefined) keys.set(parameter, [path]);
    else known.push(path);
  }
  return keys;
}

/** Keys that map to a parameter through ties, by its first path. */
function copiesIn(
  keys: Iterable<string>,
  parameters: ReadonlyMap<Parameter, readonly [string, ...string[]]>,
  tied: readonly TiedKeys[],
): Map<string, string[]> {
  const firstPaths = new Map([...parameters.values()].flatMap((paths) => paths.map((path) => [path, paths[0]] as const)));
  const copies = new Map<string, string[]>();
  for (const key of keys) {
    if (firstPaths.has(key)) continue;
    const path = firstPaths.get(untie(key, firstPaths, tied));
    if (path !== undefined) copies.set(path, [...(copies.get(path) ?? []), key]);
  }
  return copies;
}

/** Resolves ties to the path that a key stands for, or returns the key itself. A path of the model stands for itself. */
export function untie(key: string, paths: { has(path: string): boolean }, tied: readonly TiedKeys[]): string {
  let path = key;
  // A copy of a copy takes two rounds; more would be a cycle.
  for (let turn = 0; turn < 2 && !paths.has(path); turn++) path = untieOnce(path, tied);
  return path;
}

function untieOnce(key: string, tied: readonly TiedKeys[]): string {
  const steps = key.split('.');
  for (const { copy, of } of tied) {
    const length = copy.split('.').length;
    if (matchesPattern(steps.slice(0, length).join('.'), copy)) return [of, ...steps.slice(length)].join('.');
  }
  return key;
}

function fits(key: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => matchesPattern(key, pattern));
}

function misshapen({ shape, layout }: Parameter, key: string, stored: readonly number[]): string | undefined {
  const expected = shownShape(torchShape(shape, layout));
  const got = shownShape(stored);
  return expected === got ? undefined : `${shownName(key)}: expected shape ${expected}, got ${got}`;
}

function misfit(where: string, problems: readonly string[]): CheckpointError {
  const fix = 'Check that config.json belongs to these weights';
  return new CheckpointError({
    code: 'E_WEIGHTS_MISMATCH',
    where,
    what: `the weights do not fit the model: ${list(problems, '; ')}`,
    fix,
  });
}

function assign(parameter: Parameter, { data, shape }: NamedArray): void {
  tf.tidy(() => parameter.assign(fromTorchLayout(tf.tensor(data, [...shape], 'float32'), parameter.layout)));
  handOver(parameter.value);
}

/** Suggests the intended name for the first unexpected key. */
function hint(unused: ReadonlySet<string>, missing: readonly string[]): string {
  const [first] = unused;
  const near = first === undefined ? undefined : nearest(first, missing.slice(0, 1000));
  return near === undefined ? '' : ` (${first} may be ${near})`;
}

function list(items: readonly string[], separator = ', '): string {
  const shown = items.slice(0, LISTED).join(separator);
  return items.length > LISTED ? `${shown}${separator}and ${items.length - LISTED} more` : shown;
}
