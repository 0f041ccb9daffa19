import { createHash } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { openImageFile } from '../../imaging/index.js';
import { writeFileAtomic } from '../../util/index.js';
import type { SampleSource } from '../types.js';
import type { Inspection } from './types.js';

/** Goes up when an inspection looks at more or otherwise. */
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

/** What is known of a sample, and of what it was made. */
interface Entry {
  readonly stamp: string;
  readonly content: string;
  readonly inspection: Inspection;
}

type Entries = Record<string, Entry>;

/** The folder in which audits remember what they have seen: beside the user's other caches, never in the data. */
function auditCacheDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'sonoground', 'audit');
}

/**
 * What earlier audits found, by the image's part and path. It holds hashes, sizes, phrases and problems, no pixels. An entry serves as
 * long as its files have the size and the time of change that they had; failing that, as long as their content is the same.
 */
export class AuditCache {
  private readonly file: string;
  private readonly old: Entries;
  private readonly fresh: Entries = {};
  private changed = false;
  /** Films are hashed once, not for each of their frames. */
  private readonly hashes = new Map<string, Promise<string>>();

  private constructor(file: string, old: Entries) {
    this.file = file;
    this.old = old;
  }

  /** Opens the cache of a dataset. One that cannot be read is begun anew: it is only a cache. */
  static async open(dataset: string, directory = auditCacheDirectory()): Promise<AuditCache> {
    const file = join(directory, `${sha256(resolve(dataset)).slice(0, 24)}.json`);
    const text = await readFile(file, 'utf8').catch(() => undefined);
    return new AuditCache(file, text === undefined ? {} : parse(text));
  }

  /** The inspection of a sample, from the cache if nothing of it has changed. */
  async get(
    part: string,
    source: SampleSource,
    inspect: () => Promise<Inspection>,
  ): Promise<{ readonly inspection: Inspection; readonly cached: boolean }> {
    const key = `${part} ${resolve(source.files[0] as string)}`;
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
    // What could not be read may be readable next time for reasons outside the file.
    if (content !== undefined) this.fresh[key] = { stamp, content, inspection };
    return { inspection, cached: same };
  }

  /** A hash of all that a sample is made of, or nothing if a file cannot be read. */
  private async contentOf({ files, annotation }: SampleSource): Promise<string | undefined> {
    try {
      const parts = await Promise.all(files.map((address) => this.hashOfAddress(address)));
      return sha256([annotation, ...parts].join('\n'));
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

  /** Writes what is known now; entries of pictures that are no longer there are dropped. */
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

/** A picture of a film is as new as the film. */
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
