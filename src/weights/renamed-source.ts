import { CheckpointError } from '../util/index.js';
import type { NamedArray } from './formats/index.js';
import { type KeyNaming, lackingAxes, ourKeys } from './key-naming.js';
import { joinRows, rowsOf } from './rows.js';
import type { WeightSource } from './weights.js';

/** Key prefix of models trained with data parallelism. */
const WRAPPER_PREFIX = 'module.';

/**
 * Exposes a checkpoint under this project's keys, if it is in one of the namings, else unchanged. The prefix `module.` is
 * removed. Keys without a rule keep their names.
 *
 * @throws CheckpointError when two keys would get the same name, a fused tensor cannot be split, or a tensor to be stacked is
 * missing.
 */
export function underOurKeys(source: WeightSource, namings: readonly KeyNaming[]): WeightSource {
  const plain = new Map([...source.tensors.keys()].map((key) => [withoutPrefix(key), key]));
  if (plain.size < source.tensors.size) throw clash(source, 'two keys differ in the prefix module. only');
  const naming = namingOf(source, namings);
  if (naming === undefined && [...plain].every(([name, key]) => name === key)) return source;
  return new RenamedSource(source, placesOf(source, plain, naming));
}

/** The naming identified by a checkpoint's keys, if any. */
export function namingOf<N extends KeyNaming>({ tensors }: WeightSource, namings: readonly N[]): N | undefined {
  return namings.find(({ sign }) => tensors.has(sign) || tensors.has(WRAPPER_PREFIX + sign));
}

function withoutPrefix(key: string): string {
  return key.startsWith(WRAPPER_PREFIX) ? key.slice(WRAPPER_PREFIX.length) : key;
}

/** Location of a tensor in a foreign checkpoint: in one tensor, or in several to be concatenated. */
interface Place {
  readonly keys: readonly [string, ...string[]];
  readonly shape: readonly number[];
  /** The part's index and the number of parts. Absent: the whole tensor. */
  readonly part?: { readonly index: number; readonly count: number };
  /** Its shape has leading axes of length 1 that the checkpoint's lacks. */
  readonly unsqueezed?: boolean;
}

function placesOf(
  source: WeightSource,
  plain: ReadonlyMap<string, string>,
  naming: KeyNaming | undefined,
): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  const put = (name: string, place: Place) => {
    const other = places.get(name);
    if (other !== undefined) throw clash(source, `${place.keys[0]} and ${other.keys[0]} are both ${name}`);
    places.set(name, place);
  };
  const stacked = new Set<string>();
  for (const { theirs, ours } of naming?.stacked ?? []) {
    if (!theirs.some((key) => plain.has(key))) continue;
    put(ours, stackOf(source, theirs, plain));
    for (const key of theirs) stacked.add(key);
  }
  for (const [name, key] of plain) {
    if (stacked.has(name)) continue;
    const shape = source.tensors.get(key)?.shape ?? [];
    const copies = naming?.copied?.find(({ theirs }) => theirs === name)?.ours;
    const names = copies ?? (naming === undefined ? [name] : ourKeys(name, naming));
    const whole = names.length === 1 || copies !== undefined;
    for (const [i, ours] of names.entries()) {
      const axes = naming === undefined ? 0 : lackingAxes(ours, naming);
      if (axes > 0) put(ours, { keys: [key], shape: [...Array<number>(axes).fill(1), ...shape], unsqueezed: true });
      else put(ours, whole ? { keys: [key], shape } : partOf(source, key, shape, i, names.length));
    }
  }
  return places;
}

function partOf(source: WeightSource, key: string, shape: readonly number[], index: number, count: number): Place {
  const [rows = 0, ...rest] = shape;
  if (rows % count !== 0) throw clash(source, `${key} has ${rows} rows, which are not ${count} equal parts`);
  return { keys: [key], shape: [rows / count, ...rest], part: { index, count } };
}

function stackOf(source: WeightSource, names: readonly string[], plain: ReadonlyMap<string, string>): Place {
  const keys = names.map((name) => {
    const key = plain.get(name);
    if (key === undefined) throw clash(source, `${name} is missing, and stands in one tensor with ${names[0]}`);
    return key;
  }) as [string, ...string[]];
  const shapes = keys.map((key) => source.tensors.get(key)?.shape ?? []);
  const [[, ...rest]] = shapes as [readonly number[]];
  const odd = shapes.findIndex((shape) => shape.slice(1).join() !== rest.join());
  if (odd > 0) throw clash(source, `${keys[odd]} and ${keys[0]} have shapes that do not fit each other`);
  return { keys, shape: [shapes.reduce((sum, [rows = 0]) => sum + rows, 0), ...rest] };
}

function clash({ path }: WeightSource, what: string): CheckpointError {
  return new CheckpointError({ code: 'E_WEIGHTS_MISMATCH', where: path, what, fix: 'Check where these weights come from' });
}

/** Tensors of another source under other names: whole, split or concatenated. */
class RenamedSource implements WeightSource {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, Place>;
  private readonly source: WeightSource;
  /** The last fused tensor read, as its parts are requested consecutively. */
  private last: { readonly key: string; readonly array: NamedArray } | undefined;

  constructor(source: WeightSource, places: ReadonlyMap<string, Place>) {
    this.path = source.path;
    this.source = source;
    this.tensors = places;
  }

  fileOf(name: string): string {
    return this.source.fileOf(this.tensors.get(name)?.keys[0] ?? name);
  }

  async read(name: string): Promise<NamedArray> {
    const place = this.tensors.get(name);
    if (place === undefined)
      throw new CheckpointError({ code: 'E_WEIGHTS_MISMATCH', where: this.path, what: `there is no ${name}` });
    const { keys, part } = place;
    const [key] = keys;
    if (keys.length > 1) return joinRows(await Promise.all(keys.map((each) => this.source.read(each))));
    if (place.unsqueezed === true) return { ...(await this.source.read(key)), shape: place.shape };
    if (part === undefined) return this.source.read(key);
    if (this.last?.key !== key) this.last = { key, array: await this.source.read(key) };
    return rowsOf(this.last.array, part.index, part.count);
  }

  async close(): Promise<void> {
    this.last = undefined;
    await this.source.close();
  }
}
