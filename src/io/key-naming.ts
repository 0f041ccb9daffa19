import { CheckpointError } from '../util/index.js';
import type { NamedArray } from './formats/index.js';
import type { WeightSource } from './weights.js';

/** One key of theirs that holds several of ours, equal parts of its first axis. */
export interface FusedKeys {
  readonly theirs: string;
  readonly ours: readonly string[];
}

/**
 * How the keys of a checkpoint in another naming become ours, and back. In patterns `*` stands for one step of a path and `**`
 * for the rest of it; what they stand for is the same, in the same order, on both sides.
 */
export interface KeyNaming {
  /** What messages call it. */
  readonly name: string;
  /** A key that such a checkpoint always has. */
  readonly sign: string;
  readonly renames: readonly (readonly [theirs: string, ours: string])[];
  readonly fused: readonly FusedKeys[];
}

/** Before the keys of a model that was trained on several devices. */
const WRAPPER_PREFIX = 'module.';

/**
 * Shows a checkpoint under our keys if it is in one of the namings, else as it is. The prefix `module.` is taken off. A key
 * that no rule knows keeps its name.
 *
 * @throws CheckpointError when two keys would get the same name, or a fused tensor cannot be divided.
 */
export function underOurKeys(source: WeightSource, namings: readonly KeyNaming[]): WeightSource {
  const plain = new Map([...source.tensors.keys()].map((key) => [withoutPrefix(key), key]));
  if (plain.size < source.tensors.size) throw clash(source, 'two keys differ in the prefix module. only');
  const naming = namings.find(({ sign }) => plain.has(sign));
  if (naming === undefined && [...plain].every(([name, key]) => name === key)) return source;
  return new RenamedSource(source, placesOf(source, plain, naming));
}

function withoutPrefix(key: string): string {
  return key.startsWith(WRAPPER_PREFIX) ? key.slice(WRAPPER_PREFIX.length) : key;
}

/** Where a tensor of ours lies in theirs. */
interface Place {
  readonly key: string;
  readonly shape: readonly number[];
  /** Which of how many parts. Absent: the whole. */
  readonly part?: { readonly index: number; readonly count: number };
}

function placesOf(
  source: WeightSource,
  plain: ReadonlyMap<string, string>,
  naming: KeyNaming | undefined,
): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  const put = (name: string, place: Place) => {
    if (places.has(name)) throw clash(source, `${place.key} and ${places.get(name)?.key} are both ${name}`);
    places.set(name, place);
  };
  for (const [name, key] of plain) {
    const shape = source.tensors.get(key)?.shape ?? [];
    const names = naming === undefined ? [name] : ourKeys(name, naming);
    if (names.length === 1) put(names[0] as string, { key, shape });
    else for (const [index, part] of names.entries()) put(part, partOf(source, key, shape, index, names.length));
  }
  return places;
}

function partOf(source: WeightSource, key: string, shape: readonly number[], index: number, count: number): Place {
  const [rows = 0, ...rest] = shape;
  if (rows % count !== 0) throw clash(source, `${key} has ${rows} rows, which are not ${count} equal parts`);
  return { key, shape: [rows / count, ...rest], part: { index, count } };
}

/** Our key or keys for one of theirs; the key itself if no rule knows it. */
export function ourKeys(theirs: string, { renames, fused }: KeyNaming): readonly string[] {
  for (const rule of fused) {
    const steps = capture(theirs, rule.theirs);
    if (steps !== undefined) return rule.ours.map((pattern) => fill(pattern, steps));
  }
  for (const [from, to] of renames) {
    const steps = capture(theirs, from);
    if (steps !== undefined) return [fill(to, steps)];
  }
  return [theirs];
}

/**
 * The same weights under their keys: the reverse of {@link underOurKeys}.
 *
 * @throws CheckpointError when parts of a fused tensor are missing.
 */
export function underTheirKeys(arrays: ReadonlyMap<string, NamedArray>, naming: KeyNaming): Map<string, NamedArray> {
  const renamed = new Map<string, NamedArray>();
  for (const [ours, array] of arrays) {
    const fusion = fusionOf(ours, naming);
    if (fusion === undefined) renamed.set(theirKey(ours, naming), array);
    else if (fusion.ours[0] === ours) renamed.set(fusion.theirs, joined(fusion.ours, arrays, naming));
  }
  return renamed;
}

function theirKey(ours: string, { renames }: KeyNaming): string {
  for (const [to, from] of renames) {
    const steps = capture(ours, from);
    if (steps !== undefined) return fill(to, steps);
  }
  return ours;
}

/** The fused tensor to which one of our keys belongs, with the keys of all its parts. */
function fusionOf(key: string, { fused }: KeyNaming): FusedKeys | undefined {
  for (const { theirs, ours } of fused) {
    const steps = ours.map((pattern) => capture(key, pattern)).find((found) => found !== undefined);
    if (steps !== undefined) return { theirs: fill(theirs, steps), ours: ours.map((pattern) => fill(pattern, steps)) };
  }
  return undefined;
}

function joined(keys: readonly string[], arrays: ReadonlyMap<string, NamedArray>, { name }: KeyNaming): NamedArray {
  const parts = keys.map((key) => {
    const part = arrays.get(key);
    if (part === undefined)
      throw new CheckpointError({ where: key, what: `it is missing, and ${name} keeps it in one with others` });
    return part;
  });
  const [{ dtype, shape }] = parts as [NamedArray];
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { dtype, shape: [(shape[0] as number) * parts.length, ...shape.slice(1)], data };
}

const patterns = new Map<string, RegExp>();

/** What the stars of a pattern stand for in a key, or undefined if it does not fit. */
function capture(key: string, pattern: string): string[] | undefined {
  let compiled = patterns.get(pattern);
  if (compiled === undefined) {
    const steps = pattern.split('.').map((step) => (step === '**' ? '(.+)' : step === '*' ? '([^.]+)' : escaped(step)));
    compiled = new RegExp(`^${steps.join('\\.')}$`);
    patterns.set(pattern, compiled);
  }
  return compiled.exec(key)?.slice(1);
}

function escaped(step: string): string {
  return step.replace(/[$()*+?[\\\]^{|}]/g, '\\$&');
}

function fill(pattern: string, steps: readonly string[]): string {
  let next = 0;
  return pattern
    .split('.')
    .map((step) => (step === '*' || step === '**' ? steps[next++] : step))
    .join('.');
}

function clash({ path }: WeightSource, what: string): CheckpointError {
  return new CheckpointError({ where: path, what, fix: 'Check where these weights come from' });
}

/** Tensors of another source under other names, whole or in parts. */
class RenamedSource implements WeightSource {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, Place>;
  private readonly source: WeightSource;
  /** The fused tensor that was read last: its parts are asked for one after the other. */
  private last: { readonly key: string; readonly array: NamedArray } | undefined;

  constructor(source: WeightSource, places: ReadonlyMap<string, Place>) {
    this.path = source.path;
    this.source = source;
    this.tensors = places;
  }

  async read(name: string): Promise<NamedArray> {
    const place = this.tensors.get(name);
    if (place === undefined) throw new CheckpointError({ where: this.path, what: `there is no ${name}` });
    const { key, shape, part } = place;
    if (part === undefined) return this.source.read(key);
    if (this.last?.key !== key) this.last = { key, array: await this.source.read(key) };
    const { dtype, data } = this.last.array;
    const length = data.length / part.count;
    return { dtype, shape, data: data.slice(part.index * length, (part.index + 1) * length) };
  }

  async close(): Promise<void> {
    this.last = undefined;
    await this.source.close();
  }
}
