import { UsageError } from '../../util/index.js';

/** One of several parts that a list is divided into. */
export interface Shard {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

/**
 * Reads `0/4`: the first of four parts.
 *
 * @throws UsageError for anything else, and for a part that there is not.
 */
export function parseShard(text: string): Shard {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (shard.index < shard.count) return shard;
  const what = count === undefined ? `expected i/n, got ${text}` : `there is no part ${index} of ${count}`;
  throw new UsageError({ code: 'E_OPTION_VALUE', where: '--shard', what, fix: 'Parts are numbered from 0: 0/4, 1/4, 2/4, 3/4' });
}

/**
 * A part of a list: neighbours stay together, so that a film or a volume is read by one machine, or two at its edges. All parts
 * together are the list, and no two differ by more than one in length.
 */
export function shardOf<T>(list: readonly T[], { index, count }: Shard): T[] {
  const edge = (i: number) => Math.floor((i * list.length) / count);
  return list.slice(edge(index), edge(index + 1));
}
