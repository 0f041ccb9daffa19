import { deserialize, serialize } from 'node:v8';
import { packError, RuntimeError, type SentError, SonogroundError, unpackError } from '../../util/index.js';

/** Collective operations: every rank calls the same ones in the same order, one at a time. */
export interface Collectives {
  /** The bytes of every rank, by rank. */
  allGather(bytes: Uint8Array): Promise<Uint8Array[]>;
  /** Replaces the values by their sum over all ranks, added in the order of ranks. The arrays have the same length everywhere. */
  allReduceSum(values: Float32Array): Promise<void>;
}

/** The place of a process among those of a run. */
export interface Place {
  readonly rank: number;
  readonly size: number;
  /** Rank among the processes of this machine, and their number. */
  readonly localRank: number;
  readonly localSize: number;
}

type Envelope = { readonly value: unknown } | { readonly error: SentError };

/** Errors that every rank has, so that one of them may report it. */
const agreed = /* @__PURE__ */ new WeakSet<object>();

/** Whether all ranks end with this error. */
export function isAgreed(error: unknown): boolean {
  return typeof error === 'object' && error !== null && agreed.has(error);
}

/** Marks an error that every rank throws at the same place. */
export function asAgreed<E extends Error>(error: E): E {
  agreed.add(error);
  return error;
}

/**
 * The processes of a data-parallel run. Rank 0 writes, logs and decides.
 *
 * A rank that fails passes its error to {@link fail}, which takes part in the others' next {@link gather} in place of a value:
 * all of them then throw the same error, wherever they are, and none waits for a rank that will not come.
 */
export class Ranks implements Place {
  readonly rank: number;
  readonly size: number;
  readonly localRank: number;
  readonly localSize: number;
  /** Milliseconds spent so far in gathering, which is mostly waiting for the slowest rank, and in summing. */
  readonly spent = { gathering: 0, summing: 0 };
  private readonly collectives: Collectives;
  private summing = false;

  constructor({ rank, size, localRank, localSize }: Place, collectives: Collectives) {
    this.rank = rank;
    this.size = size;
    this.localRank = localRank;
    this.localSize = localSize;
    this.collectives = collectives;
  }

  /** Whether this is rank 0. */
  get isRoot(): boolean {
    return this.rank === 0;
  }

  /**
   * The values of all ranks, by rank. Values are copied as between threads.
   *
   * @throws the error of the first rank that failed, the same on all ranks.
   */
  gather<T>(value: T): Promise<T[]> {
    return this.exchange({ value }) as Promise<T[]>;
  }

  /** Calls `body` on rank 0 only; all ranks get its result. */
  async onRoot<T>(body: () => Promise<T>): Promise<T> {
    const [value] = await this.gather(this.isRoot ? await body() : undefined);
    return value as T;
  }

  /**
   * Sums arrays over all ranks, in the order of ranks. The result has the same bits on all ranks and in every repetition.
   *
   * @param values - makes this rank's array, which has the same length on all ranks.
   */
  async sum(values: () => Promise<Float32Array<ArrayBuffer>>): Promise<Float32Array<ArrayBuffer>> {
    // From here on the other ranks wait for the sum, and cannot be told of a failure.
    this.summing = true;
    const array = await values();
    const began = performance.now();
    await this.collectives.allReduceSum(array);
    this.spent.summing += performance.now() - began;
    this.summing = false;
    return array;
  }

  /**
   * Ends the run on all ranks because of a failure on this one.
   *
   * @returns the error that all ranks throw; undefined if the others cannot be told, so that they must be ended.
   */
  async fail(error: unknown): Promise<unknown> {
    if (this.summing) return undefined;
    try {
      await this.exchange({ error: packError(this.readable(error)) }, error);
    } catch (shared) {
      return isAgreed(shared) ? shared : undefined;
    }
    return undefined;
  }

  private async exchange(own: Envelope, cause?: unknown): Promise<unknown[]> {
    const began = performance.now();
    const all = (await this.collectives.allGather(serialize(own))).map((bytes) => deserialize(bytes) as Envelope);
    this.spent.gathering += performance.now() - began;
    const failed = all.flatMap((envelope, rank) => ('error' in envelope ? [{ ...envelope, rank }] : []));
    const [first] = failed;
    if (first !== undefined) throw asAgreed(this.shared(first.rank, first.error, failed.length, cause));
    return all.map((envelope) => ('value' in envelope ? envelope.value : undefined));
  }

  /** The error to report: of one rank by its name; of all ranks as if there were one process. */
  private shared(rank: number, error: SentError, failures: number, cause: unknown): Error {
    // A class of this room keeps its identity where it was thrown.
    if (failures === this.size && cause instanceof SonogroundError && rank === this.rank) return cause;
    return unpackError(failures === this.size ? error : { ...error, where: `${nameOf(rank, this.size)}: ${error.where}` });
  }

  private readable(error: unknown): SonogroundError {
    if (error instanceof SonogroundError) return error;
    const what = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
    const fix = 'This is an unexpected error. Set SONOGROUND_DEBUG=1 to see the stack trace';
    return new RuntimeError({ code: 'E_RANK_FAILED', where: 'training', what, fix, cause: error });
  }
}

/** A rank, for messages. */
export function nameOf(rank: number, size: number): string {
  return `rank ${rank} of ${size}`;
}

/** Calls `body` on rank 0, or in the only process; all ranks get its result. */
export function onRoot<T>(ranks: Ranks | undefined, body: () => Promise<T>): Promise<T> {
  return ranks === undefined ? body() : ranks.onRoot(body);
}
