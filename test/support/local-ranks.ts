import { isAgreed, Ranks } from '../../src/train/index.js';

/** Ranks within this process: what each does runs concurrently, and meets as it would over MPI. */
export function localRanks(size: number): Ranks[] {
  let arrived: { rank: number; input: Uint8Array | Float32Array; done: (all: never) => void }[] = [];
  const meet = <T extends Uint8Array | Float32Array>(rank: number, input: T) =>
    new Promise<T[]>((done) => {
      arrived.push({ rank, input, done });
      if (arrived.length < size) return;
      const all = [...arrived].sort((a, b) => a.rank - b.rank);
      arrived = [];
      const kinds = new Set(all.map((one) => one.input.constructor.name));
      if (kinds.size > 1) throw new Error(`ranks met in different operations: ${[...kinds]}`);
      for (const one of all) one.done(all.map((other) => other.input) as never);
    });
  return Array.from({ length: size }, (_, rank) => {
    const allReduceSum = async (values: Float32Array) => {
      const all = await meet(rank, values.slice());
      for (let i = 0; i < values.length; i++) values[i] = all.reduce((sum, other) => sum + (other[i] as number), 0);
    };
    const place = { rank, size, localRank: rank, localSize: size };
    return new Ranks(place, { allGather: (bytes) => meet(rank, Uint8Array.from(bytes)), allReduceSum });
  });
}

/** Runs `body` on all ranks as a command does: a failure of one ends all. */
export function onAllRanks<T>(ranks: readonly Ranks[], body: (own: Ranks) => Promise<T>): Promise<PromiseSettledResult<T>[]> {
  return Promise.allSettled(
    ranks.map((own) =>
      body(own).catch(async (error: unknown) => {
        if (isAgreed(error)) throw error;
        throw await own.fail(error);
      }),
    ),
  );
}
