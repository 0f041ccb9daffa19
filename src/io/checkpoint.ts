import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { tf } from '../backend/index.js';
import type { Module, Parameter } from '../nn/index.js';
import { CheckpointError, matchesPattern } from '../util/index.js';
import { type NamedArray, readSafetensors, writeSafetensors } from './formats/index.js';
import { fromTorchLayout, torchShape, toTorchLayout } from './layout.js';

/** A second place where a checkpoint may hold the same weights. */
export interface TiedKeys {
  /** Path pattern of the copy's first steps, as in `util/path-pattern`. */
  readonly copy: string;
  /** The path that stands in their place. */
  readonly of: string;
}

export interface LoadOptions {
  /** Patterns of keys that published checkpoints hold and no parameter takes. */
  readonly ignore?: readonly string[];
  /** Copies that are accepted when they are equal. */
  readonly tied?: readonly TiedKeys[];
}

/** How many keys an error lists. */
const LISTED = 8;

/**
 * Gives every parameter of a module its values from a safetensors file or a model directory. Strict: every key is used
 * once, every parameter is set once, shapes are equal. A parameter that is reachable along several paths may stand under any
 * of them; several copies must be equal.
 *
 * @throws CheckpointError listing all missing, unexpected and misshapen keys at once.
 */
export async function loadCheckpoint(module: Module, path: string, { ignore = [], tied = [] }: LoadOptions = {}): Promise<void> {
  const file = await weightFile(path);
  const { arrays } = await readSafetensors(file);
  const unexpected = new Set([...arrays.keys()].filter((key) => !ignore.some((pattern) => matchesPattern(key, pattern))));
  const problems: string[] = [];
  const missing: string[] = [];
  const parameters = keysOf(module);
  const copies = copiesIn(arrays, parameters, tied);
  for (const [parameter, own] of parameters) {
    const keys = [...own, ...(copies.get(own[0] as string) ?? [])];
    const found = keys.flatMap((key) => (arrays.has(key) ? [[key, arrays.get(key) as NamedArray] as const] : []));
    for (const [key] of found) unexpected.delete(key);
    const [first, ...others] = found;
    if (first === undefined) {
      missing.push(keys[0] as string);
      continue;
    }
    const problem =
      misfit(parameter, first[0], first[1]) ??
      others.map(([key, copy]) => differs(first, key, copy)).find((text) => text !== undefined);
    if (problem === undefined) assign(parameter, first[1]);
    else problems.push(problem);
  }
  if (missing.length > 0) problems.unshift(`${missing.length} missing: ${list(missing)}`);
  if (unexpected.size > 0) problems.unshift(`${unexpected.size} unexpected: ${list([...unexpected])}`);
  if (problems.length === 0) return;
  const fix = 'Check that config.json belongs to these weights';
  throw new CheckpointError({ where: file, what: `the weights do not fit the model: ${list(problems, '; ')}`, fix });
}

/** Writes the parameters of a module, adapters left out, in torch's layouts, each under its first path. */
export async function saveCheckpoint(
  module: Module,
  path: string,
  { half = false }: { readonly half?: boolean } = {},
): Promise<void> {
  const arrays = new Map<string, NamedArray>();
  for (const [parameter, [key]] of keysOf(module)) {
    const stored = toTorchLayout(parameter.value, parameter.layout);
    arrays.set(key as string, { dtype: 'float32', shape: stored.shape, data: await stored.data<'float32'>() });
    stored.dispose();
  }
  await writeSafetensors(path, arrays, { metadata: { format: 'pt' }, half });
}

/** The distinct parameters that belong to the model itself, each with all its paths. */
function keysOf(module: Module): Map<Parameter, string[]> {
  const keys = new Map<Parameter, string[]>();
  for (const [path, parameter] of module.namedParameters()) {
    if (parameter.adapter) continue;
    keys.set(parameter, [...(keys.get(parameter) ?? []), path]);
  }
  return keys;
}

/** Keys of the file that stand for a parameter's path through ties, by that path. */
function copiesIn(
  arrays: ReadonlyMap<string, NamedArray>,
  parameters: ReadonlyMap<Parameter, string[]>,
  tied: readonly TiedKeys[],
): Map<string, string[]> {
  const paths = new Set([...parameters.values()].flat());
  const copies = new Map<string, string[]>();
  for (const key of arrays.keys()) {
    if (paths.has(key)) continue;
    // A copy of a copy takes two turns; more would be a circle.
    const path = untie(untie(key, paths, tied), paths, tied);
    if (path !== key && paths.has(path)) copies.set(path, [...(copies.get(path) ?? []), key]);
  }
  return copies;
}

function untie(key: string, paths: ReadonlySet<string>, tied: readonly TiedKeys[]): string {
  if (paths.has(key)) return key;
  const steps = key.split('.');
  for (const { copy, of } of tied) {
    const length = copy.split('.').length;
    if (matchesPattern(steps.slice(0, length).join('.'), copy)) return [of, ...steps.slice(length)].join('.');
  }
  return key;
}

async function weightFile(path: string): Promise<string> {
  const info = await stat(path).catch(() => undefined);
  return info?.isDirectory() ? join(path, 'model.safetensors') : path;
}

function misfit({ shape, layout }: Parameter, key: string, array: NamedArray): string | undefined {
  const expected = torchShape(shape, layout).join(', ');
  const got = array.shape.join(', ');
  return expected === got ? undefined : `${key}: expected shape [${expected}], got [${got}]`;
}

function differs([first, { data }]: readonly [string, NamedArray], key: string, copy: NamedArray): string | undefined {
  const same = copy.data.length === data.length && copy.data.every((value, i) => value === data[i]);
  return same ? undefined : `${key} should be a copy of ${first}, but differs`;
}

function assign(parameter: Parameter, { data, shape, dtype }: NamedArray): void {
  tf.tidy(() => parameter.assign(fromTorchLayout(tf.tensor(data, [...shape], dtype), parameter.layout)));
}

function list(items: readonly string[], separator = ', '): string {
  const shown = items.slice(0, LISTED).join(separator);
  return items.length > LISTED ? `${shown}${separator}and ${items.length - LISTED} more` : shown;
}
