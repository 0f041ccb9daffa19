import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Dataset } from '../../data/index.js';
import { splitAddress } from '../../imaging/index.js';
import { DataError } from '../../util/index.js';

const hashes = z.record(z.string(), z.string());

const recordSchema = z.object({
  /** By split and id: a hash of the sample's files and annotations. */
  samples: hashes,
  /** Hash of the samples' order, which determines the batches. */
  order: z.string(),
  /** By name: a hash of the files of each model that the run starts from. */
  models: hashes,
});

/** A run's inputs besides its settings, identified by content: copies at other paths, with other times, count as the same. */
export type DataRecord = z.infer<typeof recordSchema>;

/** File in the run folder, for reading and for listing changes. Only the hash in the checkpoint is authoritative. */
export const dataRecordFile = 'data.json';

/** Files read concurrently. */
const AT_ONCE = 8;

/** Number of names in a message. */
const LISTED = 3;

/**
 * Records the data of a run. Reads all files once, which takes a fraction of the first epoch: times and sizes would miss a file
 * replaced by one of the same size, and reject every copy. Samples without files are determined by the settings.
 *
 * @param splits - the splits that affect a step or the choice of the best weights.
 * @param models - folders or files of the models that training starts from, by name.
 */
export async function recordData(
  splits: Readonly<Record<string, Dataset>>,
  models: Readonly<Record<string, string>> = {},
): Promise<DataRecord> {
  const files = new FileHashes();
  const samples: [string, string][] = [];
  for (const [split, dataset] of Object.entries(splits)) {
    const seen = new Map<string, number>();
    for (let from = 0; from < dataset.size; from += AT_ONCE) {
      const indices = Array.from({ length: Math.min(AT_ONCE, dataset.size - from) }, (_, k) => from + k);
      const hashed = await Promise.all(indices.map((index) => sampleOf(dataset, index, files)));
      for (const { id, hash } of hashed) {
        const count = seen.get(id) ?? 0;
        seen.set(id, count + 1);
        samples.push([`${split} ${id}${count === 0 ? '' : ` (${count + 1})`}`, hash]);
      }
    }
  }
  const order = sha256(JSON.stringify(samples.map(([name]) => name)));
  const modelHashes = await Promise.all(
    Object.entries(models).map(async ([name, path]) => [name, await hashOfFolder(path, files)] as const),
  );
  return { samples: Object.fromEntries(samples), order, models: Object.fromEntries(modelHashes) };
}

/** One hash of the whole record. */
export function digestOf({ samples, order, models }: DataRecord): string {
  return sha256(JSON.stringify([Object.entries(samples).sort(byName), order, Object.entries(models).sort(byName)]));
}

/**
 * Reads the record of a run folder, to list changes.
 *
 * @returns undefined if it is missing or has another hash.
 */
export async function readDataRecord(dir: string, digest: string): Promise<DataRecord | undefined> {
  try {
    const record = recordSchema.parse(JSON.parse(await readFile(join(dir, dataRecordFile), 'utf8')));
    return digestOf(record) === digest ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Describes the differences between two records. */
export function differences(before: DataRecord, now: DataRecord): string {
  const names = (record: DataRecord) => Object.keys(record.samples);
  const added = names(now).filter((name) => before.samples[name] === undefined);
  const removed = names(before).filter((name) => now.samples[name] === undefined);
  const changed = names(now).filter((name) => before.samples[name] !== undefined && before.samples[name] !== now.samples[name]);
  const models = Object.keys(now.models).filter((name) => before.models[name] !== now.models[name]);
  const parts = [
    counted(added, 'added'),
    counted(removed, 'removed'),
    counted(changed, 'changed'),
    ...models.map((name) => `the model ${name} has other files`),
  ].filter((text) => text !== '');
  return parts.length > 0 ? parts.join(', ') : 'the images are in another order';
}

/**
 * Refuses to continue a run with different data.
 *
 * @param saved - the hash in the checkpoint.
 * @throws DataError listing the changes.
 */
export async function assertSameData(file: string, saved: string, now: DataRecord, dir: string): Promise<void> {
  const what = await changesSince(saved, now, dir);
  if (what === undefined) return;
  throw new DataError({
    code: 'E_DATA_CHANGED',
    where: file,
    what: `the run was trained on other data: ${what}`,
    fix: 'Put the data back, add --allow-changed-data to go on with what is there, or start a new run in another run.dir',
  });
}

/** Describes the changes since a checkpoint; undefined if there are none. */
export async function changesSince(saved: string, now: DataRecord, dir: string): Promise<string | undefined> {
  if (digestOf(now) === saved) return undefined;
  const before = await readDataRecord(dir, saved);
  return before === undefined
    ? `what exactly is not known, as ${join(dir, dataRecordFile)} is not that of the run`
    : differences(before, now);
}

async function sampleOf(
  dataset: Dataset,
  index: number,
  files: FileHashes,
): Promise<{ readonly id: string; readonly hash: string }> {
  const source = dataset.source?.(index);
  if (source === undefined) return { id: String(index), hash: '' };
  const contents = await Promise.all(source.files.map((address) => files.of(address)));
  return { id: source.id, hash: sha256(JSON.stringify([source.annotation, contents])).slice(0, 32) };
}

async function hashOfFolder(path: string, files: FileHashes): Promise<string> {
  const info = await stat(path).catch(() => undefined);
  if (info?.isDirectory() !== true) return files.of(path);
  const names = (await readdir(path)).sort();
  const inside = await Promise.all(names.map(async (name) => [name, await files.of(join(path, name))]));
  return sha256(JSON.stringify(inside));
}

/** Hashes each cine clip or volume once, rather than once per image. */
class FileHashes {
  private readonly known = new Map<string, Promise<string>>();

  /** Hash of a file's content and of the frame or slice; a placeholder if the file cannot be read. */
  async of(address: string): Promise<string> {
    const { file, part } = await splitAddress(address);
    const hash = this.known.get(file) ?? hashOfFile(file);
    this.known.set(file, hash);
    return `${await hash}${part?.text ?? ''}`;
  }
}

async function hashOfFile(file: string): Promise<string> {
  const info = await stat(file).catch(() => undefined);
  if (info?.isFile() !== true) return 'no file';
  try {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
    return hash.digest('hex');
  } catch {
    return 'unreadable';
  }
}

function counted(names: readonly string[], done: string): string {
  if (names.length === 0) return '';
  const more = names.length > LISTED ? ', …' : '';
  return `${names.length} ${names.length === 1 ? 'image' : 'images'} ${done} (${names.slice(0, LISTED).join(', ')}${more})`;
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
