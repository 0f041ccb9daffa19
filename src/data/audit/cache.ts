import { createHash } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { openImageFile } from '../../imaging/index.js';
import { writeFileAtomic } from '../../util/index.js';
import type { SampleSource } from '../types.js';
import type { Inspection } from './types.js';

/** Increase when inspections change. */
const VERSION = 2;

const inspectionSchema = z.object({
  width: z.number(),
  height: z.number(),
  labels: z.array(z.string()),
  exact: z.string().optional(),
  signs: z.string().optional(),
  problems: z.array(z.object({ level: z.enum(['error', 'warning']), what: z.string() })),
});

const cacheSchema = z.object({
  version: z.literal(VERSION),
  entries: z.record(z.string(), z.object({ stamp: z.string(), content: z.string(), inspection: inspectionSchema })),
});

/** A sample's inspection and the state of its files. */
interface Entry {
  readonly stamp: string;
  readonly content: string;
  readonly inspection: Inspection;
}

type Entries = Record<string, Entry>;

/** The audit cache folder: beside the user's other caches, never in the data. */
function auditCacheDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'sonoground', 'audit');
}

/**
 * Inspections from earlier audits, by split and path. Holds hashes, sizes, phrases and problems, but no pixels. An entry is valid
 * while its files keep their size and modification time or, failing that, their content hash.
 */
export class AuditCache {
  private readonly file: string;
  private readonly old: Entries;
  private readonly fresh: Entries = {};
  private changed = false;
  /** Cine clips are hashed once, not once per frame. */
  private readonly hashes = new Map<string, Promise<string>>();

  private constructor(file: string, old: Entries) {
    this.file = file;
    this.old = old;
  }

  /** Opens the cache of a dataset. An unreadable cache is started afresh. */
  static async open(dataset: string, directory = auditCacheDirectory()): Promise<AuditCache> {
    const file = join(directory, `${sha256(resolve(dataset)).slice(0, 24)}.json`);
    const text = await readFile(file, 'utf8').catch(() => undefined);
    return new AuditCache(file, text === undefined ? {} : parse(text));
  }

  /** Returns the inspection of a sample, from the cache if the sample is unchanged. */
  async get(
    split: string,
    source: SampleSource,
    inspect: () => Promise<Inspection>,
  ): Promise<{ readonly inspection: Inspection; readonly cached: boolean }> {
    const key = `${split} ${resolve(source.files[0] as string)}`;
    const stamp = sha256(`${source.annotation}\n${(await Promise.all(source.files.map(stampOf))).join('\n')}`);
    const known = this.old[key] ?? this.fresh[key];
    if (known?.stamp === stamp) {
      this.fresh[key] = known;
      return { inspection: known.inspection, cached: true };
    }
    this.changed = true;
    const content = await this.contentOf(source);
    const same = known !== undefined && content !== undefined && known.content === content;
    const inspection = same ? known.inspection : await inspect();
    // Failures are not cached: their cause may lie outside the file.
    if (content !== undefined) this.fresh[key] = { stamp, content, inspection };
    return { inspection, cached: same };
  }

  /** Hash of everything that a sample is made of; undefined if a file cannot be read. */
  private async contentOf({ files, annotation }: SampleSource): Promise<string | undefined> {
    try {
      const hashes = await Promise.all(files.map((address) => this.hashOfAddress(address)));
      return sha256([annotation, ...hashes].join('\n'));
    } catch {
      return undefined;
    }
  }

  private async hashOfAddress(address: string): Promise<string> {
    const file = fileOf(address);
    if (file === address || (await stat(address).catch(() => undefined)) !== undefined)
      return `${address} ${await hashOf(address)}`;
    const known = this.hashes.get(file) ?? hashOf(file);
    this.hashes.set(file, known);
    return `${address} ${await known}`;
  }

  /** Writes the current entries; those of images that no longer exist are dropped. */
  async save(): Promise<void> {
    if (!this.changed && Object.keys(this.fresh).length === Object.keys(this.old).length) return;
    await mkdir(dirname(this.file), { recursive: true });
    await writeFileAtomic(this.file, JSON.stringify({ version: VERSION, entries: this.fresh }));
  }
}

function parse(text: string): Entries {
  try {
    const parsed = cacheSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data.entries : {};
  } catch {
    return {};
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The file of an image address: a frame is as new as its cine clip. */
function fileOf(address: string): string {
  return address.replace(/#[xyz]?\d+(t\d+)?$/, '');
}

async function stampOf(address: string): Promise<string> {
  const info = (await stat(address).catch(() => undefined)) ?? (await stat(fileOf(address)).catch(() => undefined));
  return info === undefined ? `${address} absent` : `${address} ${info.size} ${info.mtimeMs}`;
}

async function hashOf(file: string): Promise<string> {
  const { handle } = await openImageFile(file, Number.POSITIVE_INFINITY);
  const hash = createHash('sha256');
  for await (const chunk of handle.createReadStream()) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
