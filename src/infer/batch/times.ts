import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../../util/index.js';
import { ownFile } from './parts.js';
import type { Shard } from './shard.js';

/** Where the time of a batch went. Reading and writing overlap with computing, so the parts may add up to more than the whole. */
export interface BatchTimes {
  /** Images segmented. */
  readonly images: number;
  /** From the first image to the last file, without loading models. */
  readonly seconds: number;
  /** Fetching and decoding. */
  readonly readSeconds: number;
  readonly computeSeconds: number;
  /** Overlays, masks and the lists of all images. */
  readonly writeSeconds: number;
}

/** In the folder of a shard: its throughput and machine. */
const timesFile = 'throughput.json';

/** Measures the steps of a batch. */
export class Stopwatch {
  private begin = performance.now();
  private readonly ms = { read: 0, compute: 0, write: 0 };

  start(): void {
    this.begin = performance.now();
  }

  async time<T>(step: 'read' | 'compute' | 'write', body: () => Promise<T>): Promise<T> {
    const begin = performance.now();
    try {
      return await body();
    } finally {
      this.ms[step] += performance.now() - begin;
    }
  }

  times(images: number): BatchTimes {
    const { read, compute, write } = this.ms;
    return {
      images,
      seconds: (performance.now() - this.begin) / 1000,
      readSeconds: read / 1000,
      computeSeconds: compute / 1000,
      writeSeconds: write / 1000,
    };
  }
}

/** The throughput of a shard's last call that segmented an image. */
export interface ShardTimes extends BatchTimes {
  readonly shard: Shard;
  readonly host: string;
  readonly imagesPerSecond: number;
}

export async function writeTimes(out: string, shard: Shard, times: BatchTimes): Promise<void> {
  if (times.images === 0) return;
  const own: ShardTimes = { shard, host: hostname(), ...times, imagesPerSecond: times.images / times.seconds };
  const rounded = (_: string, value: unknown) => (typeof value === 'number' ? Math.round(value * 1000) / 1000 : value);
  await writeFileAtomic(join(out, timesFile), `${JSON.stringify(own, rounded, 2)}\n`);
}

const shardTimes = z.object({
  shard: z.object({ index: z.int().nonnegative(), count: z.int().positive() }),
  host: z.string(),
  images: z.int().positive(),
  seconds: z.number(),
  readSeconds: z.number(),
  computeSeconds: z.number(),
  writeSeconds: z.number(),
  imagesPerSecond: z.number(),
});

/** Reads the throughput of shards; folders without a valid record are left out, as no result depends on it. */
export async function timesOf(dirs: readonly string[]): Promise<ShardTimes[]> {
  const found: ShardTimes[] = [];
  for (const dir of dirs) {
    const text = await ownFile(dir, timesFile)
      .then((file) => readFile(file, 'utf8'))
      .catch(() => 'null');
    const parsed = shardTimes.safeParse(parse(text));
    if (parsed.success) found.push(parsed.data);
  }
  return found.sort((a, b) => a.shard.index - b.shard.index);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
