import { UsageError } from '../../util/index.js';

/** One of several parts of a list. */
export interface Shard {
  /** Zero-based. */
  readonly index: number;
  readonly count: number;
}

/**
 * Parses `0/4`: the first of four parts.
 *
 * @throws UsageError for any other form, and for an index out of range.
 */
export function parseShard(text: string): Shard {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (shard.index < shard.count) return shard;
  const what = count === undefined ? `expected i/n, got ${text}` : `there is no part ${index} of ${count}`;
  throw new UsageError({ code: 'E_OPTION_VALUE', where: '--shard', what, fix: 'Parts are numbered from 0: 0/4, 1/4, 2/4, 3/4' });
}

/**
 * A contiguous part of a list, so that a cine clip or volume is read by one machine, or by two at a boundary. The parts together
 * are the list, and their lengths differ by at most one.
 */
export function shardOf<T>(list: readonly T[], { index, count }: Shard): T[] {
  const edge = (i: number) => Math.floor((i * list.length) / count);
  return list.slice(edge(index), edge(index + 1));
}
