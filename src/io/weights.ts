import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { CheckpointError } from '../util/index.js';
import { type NamedArray, SafetensorsReader, type StoredTensor } from './formats/index.js';
import { readJson } from './read-json.js';

const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** The tensors of a checkpoint, in one file or several, read one by one. */
export class Weights {
  /** What messages name. */
  readonly path: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  private readonly readers: readonly SafetensorsReader[];

  private constructor(path: string, readers: readonly SafetensorsReader[]) {
    this.path = path;
    this.readers = readers;
    this.tensors = new Map(readers.flatMap(({ tensors }) => [...tensors]));
  }

  /**
   * Opens a safetensors file, the index of several, or a model directory with either. Close it after use.
   *
   * @throws CheckpointError naming the file that is missing or damaged.
   */
  static async open(path: string): Promise<Weights> {
    const file = await weightFile(path);
    if (!file.endsWith('.index.json')) return new Weights(file, [await SafetensorsReader.open(file)]);
    const readers: SafetensorsReader[] = [];
    try {
      const shards = await readIndex(file);
      for (const shard of new Set(shards.values())) readers.push(await SafetensorsReader.open(join(dirname(file), shard)));
      const weights = new Weights(file, readers);
      checkShards(file, shards, readers);
      return weights;
    } catch (error) {
      await Promise.all(readers.map((reader) => reader.close()));
      throw error;
    }
  }

  async read(key: string): Promise<NamedArray> {
    const reader = this.readers.find(({ tensors }) => tensors.has(key));
    if (reader === undefined) throw new CheckpointError({ where: this.path, what: `there is no ${key}` });
    return reader.read(key);
  }

  async close(): Promise<void> {
    await Promise.all(this.readers.map((reader) => reader.close()));
  }
}

async function weightFile(path: string): Promise<string> {
  if (!(await stat(path).catch(() => undefined))?.isDirectory()) return path;
  for (const name of [WEIGHTS, INDEX]) {
    if (await stat(join(path, name)).catch(() => undefined)) return join(path, name);
  }
  throw new CheckpointError({
    where: path,
    what: `there is neither ${WEIGHTS} nor ${INDEX}`,
    fix: 'Name the folder of a model; other weight files must be converted to safetensors',
  });
}

async function readIndex(file: string): Promise<Map<string, string>> {
  const index = indexSchema.safeParse(await readJson(file));
  const shards = index.success ? Object.entries(index.data.weight_map) : undefined;
  if (shards === undefined || shards.some(([, shard]) => shard.includes('/') || shard.includes('\\')))
    throw new CheckpointError({ where: file, what: 'it does not map keys to files beside it', fix: 'Copy or download it again' });
  return new Map(shards);
}

/** Each key must be in the file that the index names, and in no other. */
function checkShards(file: string, shards: ReadonlyMap<string, string>, readers: readonly SafetensorsReader[]): void {
  const problems = readers.flatMap(({ path, tensors }) => [
    ...[...tensors.keys()]
      .filter((key) => join(dirname(file), shards.get(key) ?? '') !== path)
      .map((key) => `${key} is in ${path}, which is not where the index says`),
    ...[...shards]
      .filter(([key, shard]) => join(dirname(file), shard) === path && !tensors.has(key))
      .map(([key]) => `${path} has no ${key}`),
  ]);
  if (problems.length > 0)
    throw new CheckpointError({
      where: file,
      what: problems.slice(0, 8).join('; '),
      fix: 'Copy or download all of its files again',
    });
}
