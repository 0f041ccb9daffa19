import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { CheckpointError } from '../util/index.js';
import { type NamedArray, SafetensorsReader, TorchReader } from './formats/index.js';
import { readJson } from './read-json.js';

/** Named tensors that are read one by one, whatever file or files they lie in. */
export interface WeightSource {
  /** What messages name. */
  readonly path: string;
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>;
  /** Which file holds a tensor. */
  fileOf(key: string): string;
  /** @throws CheckpointError when there is no such tensor or it cannot be read. */
  read(key: string): Promise<NamedArray>;
  close(): Promise<void>;
}

/** What a model directory may hold, in the order of preference. */
const NAMES = ['model.safetensors', 'model.safetensors.index.json', 'pytorch_model.bin', 'pytorch_model.bin.index.json'];
const EXTENSIONS = /\.(safetensors|pth|pt|bin)$/;

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * Opens weights: a safetensors or torch file, the index of several, or a model directory with any of these. Close them after
 * use.
 *
 * @throws CheckpointError naming the file that is missing, damaged or not allowed.
 */
export async function openWeights(path: string): Promise<WeightSource> {
  const file = await weightFile(path);
  return file.endsWith('.index.json') ? openShards(file) : openFile(file);
}

/** Which file of a model directory holds the weights, or the index of several; a file stands for itself. */
async function weightFile(path: string): Promise<string> {
  if (!(await isFolder(path))) return path;
  const names = await readdir(path);
  const known = NAMES.find((name) => names.includes(name));
  if (known !== undefined) return join(path, known);
  const others = names.filter((name) => EXTENSIONS.test(name)).sort();
  if (others.length === 1) return join(path, others[0] as string);
  throw new CheckpointError(
    others.length === 0
      ? {
          where: path,
          what: `there is neither ${NAMES[0]} nor any other file of weights`,
          fix: 'Name the folder of a model',
        }
      : { where: path, what: `there are several files of weights: ${others.join(', ')}`, fix: 'Name one of them' },
  );
}

/** The folder in which the other files of a model lie: the folder itself, or that of the weight file. */
export async function modelFolder(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? dirname(path) : path;
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

/** By content, not by extension: a zip or a pickle is torch's. */
async function openFile(path: string): Promise<WeightSource> {
  const regular = (await stat(path).catch(() => undefined))?.isFile(); // a pipe may never give anything
  const file = regular ? await open(path, 'r').catch(() => undefined) : undefined; // the reader says what is wrong
  const start = Buffer.alloc(9);
  await file?.read(start, 0, 9, 0).catch(() => undefined);
  await file?.close();
  // The length of a safetensors header, which comes first and is followed by JSON, may begin with a pickle's byte.
  const torch = start.readUInt32BE() === ZIP || (start[0] === PICKLE && start[8] !== BRACE);
  return torch ? TorchReader.open(path) : SafetensorsReader.open(path);
}

const ZIP = 0x504b0304;
const PICKLE = 0x80;
const BRACE = 0x7b;

async function openShards(file: string): Promise<WeightSource> {
  const readers: WeightSource[] = [];
  try {
    const shards = await readIndex(file);
    for (const shard of new Set(shards.values())) readers.push(await openFile(join(dirname(file), shard)));
    checkShards(file, shards, readers);
    return joined(file, readers);
  } catch (error) {
    await Promise.all(readers.map((reader) => reader.close()));
    throw error;
  }
}

function joined(path: string, readers: readonly WeightSource[]): WeightSource {
  const owners = new Map(readers.flatMap((reader) => [...reader.tensors.keys()].map((key) => [key, reader] as const)));
  return {
    path,
    tensors: new Map(readers.flatMap(({ tensors }) => [...tensors])),
    fileOf: (key) => owners.get(key)?.path ?? path,
    async read(key) {
      const owner = owners.get(key);
      if (owner === undefined) throw new CheckpointError({ where: path, what: `there is no ${key}` });
      return owner.read(key);
    },
    async close() {
      await Promise.all(readers.map((reader) => reader.close()));
    },
  };
}

async function readIndex(file: string): Promise<Map<string, string>> {
  const index = indexSchema.safeParse(await readJson(file));
  const shards = index.success ? Object.entries(index.data.weight_map) : undefined;
  if (shards === undefined || shards.some(([, shard]) => shard !== basename(shard) || shard.includes('\\')))
    throw new CheckpointError({ where: file, what: 'it does not map keys to files beside it', fix: 'Copy or download it again' });
  return new Map(shards);
}

/** Each key must be in the file that the index names, and in no other. */
function checkShards(file: string, shards: ReadonlyMap<string, string>, readers: readonly WeightSource[]): void {
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
