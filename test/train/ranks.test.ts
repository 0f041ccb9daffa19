import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { launchOf } from '../../src/cli/launch.js';
import { type Dataset, PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { connect, type Ranks, runConfigSchema, type TrainerOptions, type TrainTask, train } from '../../src/train/index.js';
import { DataError } from '../../src/util/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { localRanks, onAllRanks } from '../support/local-ranks.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { toyTask } from '../support/toy-task.js';

useBackend();

const dir = temporaryFolder('ranks');

const phantoms = (size: number, seed: number): Dataset => {
  const made = new PhantomDataset({ size, seed, width: 16, height: 12, domain: phantomDomains['shifted'] as PhantomDomain });
  return { name: 'toy', size, load: async (i) => ({ ...(await made.load(i)), file: `image-${i}.png` }) };
};

function options(name: string, changes: object = {}, task: TrainTask = toyTask()): TrainerOptions {
  const { train: config } = runConfigSchema.parse({
    run: { dir },
    data: { format: 'phantom' },
    train: { epochs: 2, batchSize: 3, schedule: 'constant', warmupSteps: 0, ...changes },
  });
  return { task, train: phantoms(7, 1), val: phantoms(5, 2), config, seed: 4, dir: join(dir, name) };
}

/** Trains on ranks within this process, each with a model of its own. */
function trainOn(size: number, of: (own: Ranks) => TrainerOptions) {
  return onAllRanks(localRanks(size), (own) => train({ ...of(own), ranks: own }));
}

const messages = (ends: readonly PromiseSettledResult<unknown>[]) =>
  ends.map((end) => (end.status === 'rejected' ? (end.reason as Error).message : 'no error'));

interface Line {
  readonly event: string;
  readonly total: number;
  readonly train: number;
  readonly val: number;
}

const logOf = async (name: string) =>
  (await readFile(join(dir, name, 'log.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

describe('training on several ranks', () => {
  it.each([2, 3])(
    'makes the updates of one process on %d ranks, also where a batch has fewer images than ranks',
    async (size) => {
      const changes = { accumulate: 2, ema: 0.9 };
      const alone = await train(options(`alone-${size}`, changes));
      const ends = await trainOn(size, () => options(`shared-${size}`, changes));
      expect(ends.map(({ status }) => status)).toEqual(Array(size).fill('fulfilled'));
      for (const end of ends) {
        if (end.status !== 'fulfilled') throw end.reason;
        expect(end.value).toMatchObject({ steps: alone.steps, epochs: alone.epochs });
        expect(end.value.bestValue).toBeCloseTo(alone.bestValue, 5);
      }
      const [expected, actual] = [await logOf(`alone-${size}`), await logOf(`shared-${size}`)];
      expect(actual.map(({ event }) => event)).toEqual(expected.map(({ event }) => event));
      for (const [i, { total, train: mean, val }] of expected.entries()) {
        if (total !== undefined) expect(Math.abs((actual[i] as Line).total - total)).toBeLessThan(1e-5 * total);
        else {
          expect(Math.abs((actual[i] as Line).train - mean)).toBeLessThan(1e-5 * mean);
          expect(Math.abs((actual[i] as Line).val - val)).toBeLessThan(1e-5 * val);
        }
      }
    },
  );

  it('leaves no tensor behind on any rank', async () => {
    const tasks = [toyTask(), toyTask()];
    const leak = await leakOf(() =>
      trainOn(2, ({ rank }) => options('leak', { accumulate: 2, ema: 0.9, checkpointEvery: 1 }, tasks[rank])),
    );
    expect(leak).toBe(0);
    const failing = [toyTask(), { ...toyTask(), step: async () => Promise.reject(new Error('out of order')) }];
    expect(await leakOf(() => trainOn(2, ({ rank }) => options('leak-2', {}, failing[rank])))).toBe(0);
  });

  it('validates as one process does, to the last digit', async () => {
    // Without learning, the validation losses depend on the shares alone.
    const still = { learningRate: 1e-30 };
    await train(options('val-1', still));
    await trainOn(3, () => options('val-3', still));
    const [one, three] = await Promise.all(
      ['val-1', 'val-3'].map(async (name) => (await logOf(name)).filter(({ event }) => event === 'epoch').map(({ val }) => val)),
    );
    expect(three).toEqual(one);
  });

  it('ends all ranks with the error of the one that fails, named, wherever the others are', async () => {
    const broken: TrainTask = toyTask();
    let steps = 0;
    const step: TrainTask['step'] = async (samples, rng) => {
      if (++steps === 3) throw new DataError({ code: 'E_IMAGE_DAMAGED', where: 'a.png', what: 'it is cut off' });
      return broken.step(samples, rng);
    };
    const ends = await trainOn(3, ({ rank }) => options('fails', {}, rank === 1 ? { ...broken, step } : toyTask()));
    expect(messages(ends)).toEqual(Array(3).fill('rank 1 of 3: a.png: it is cut off'));
    expect(ends.map((end) => end.status === 'rejected' && end.reason instanceof DataError)).toEqual([true, true, true]);
  });

  it('names all images of a batch whose gradient is not finite, and stops on all ranks', async () => {
    const spoilt = () => ({
      ...toyTask(),
      step: async (...args: Parameters<TrainTask['step']>) => infinite(await toyTask().step(...args)),
    });
    const infinite = (report: Awaited<ReturnType<TrainTask['step']>>) => ({ ...report, total: Number.POSITIVE_INFINITY });
    const ends = await trainOn(2, ({ rank }) => options('infinite', {}, rank === 1 ? spoilt() : toyTask()));
    for (const message of messages(ends)) expect(message).toMatch(/^rank 1 of 2: step 1: the loss is not finite, with image-/);
    expect(await readdir(join(dir, 'infinite', 'checkpoints'))).toEqual([]);
  });

  it('refuses ranks with other settings, data or parameters, and names the first difference', async () => {
    const settings = await trainOn(2, ({ rank }) => options('differ', rank === 1 ? { clipNorm: 0.2 } : {}));
    expect(messages(settings)).toEqual(
      Array(2).fill('rank 1 of 2: train.clipNorm is 0.2 here and 0.1 on rank 0. Start all ranks with the same configuration'),
    );
    const source = (last: string): Dataset => ({
      ...phantoms(7, 1),
      source: (i) => ({ id: `image ${i}`, files: [], annotation: i === 4 ? last : 'same' }),
    });
    const data = await trainOn(3, ({ rank }) => ({ ...options('differ'), train: source(rank === 2 ? 'other' : 'same') }));
    expect(messages(data)).toEqual(
      Array(3).fill(
        expect.stringMatching(/^rank 2 of 3: compared with rank 0, its data differ: .*train image 4.*Give all ranks/),
      ),
    );
    expect(await readdir(dir)).not.toContain('differ');
  });

  it('refuses a batch that cannot be shared', async () => {
    const ends = await trainOn(4, () => options('few'));
    expect(messages(ends)).toEqual(
      Array(4).fill(expect.stringMatching(/^train.batchSize: a batch of 3 cannot be shared by 4 ranks/)),
    );
  });

  it('stops on all ranks when one is asked to, and resumes on another number of ranks', async () => {
    const controller = new AbortController();
    let seen = 0;
    const task = toyTask();
    const step: TrainTask['step'] = (...args) => {
      if (++seen === 2) controller.abort();
      return task.step(...args);
    };
    const asked = await trainOn(3, ({ rank }) =>
      rank === 2 ? { ...options('stops', {}, { ...task, step }), signal: controller.signal } : options('stops'),
    );
    for (const message of messages(asked)) expect(message).toMatch(/stopped after step 2, as asked; the checkpoint is written/);
    const warnings: string[] = [];
    const logger = { info: () => {}, warn: (message: string) => void warnings.push(message) };
    const ends = await trainOn(2, () => ({ ...options('stops'), resume: true, logger }));
    expect(ends.map((end) => end.status === 'fulfilled' && end.value.steps)).toEqual([6, 6]);
    expect(warnings).toEqual([expect.stringMatching(/ranks was 3 and is 2; further steps may differ/)]);
    await train({ ...options('stops', { epochs: 3 }), resume: true, logger });
    expect(warnings.at(-1)).toMatch(/ranks was 2 and is 1/);
    await train(options('straight', { epochs: 3 }));
    const totals = async (name: string) => (await logOf(name)).flatMap(({ total }) => total ?? []);
    for (const [i, total] of (await totals('straight')).entries())
      expect(Math.abs(((await totals('stops'))[i] as number) - total)).toBeLessThan(1e-5 * total);
  });

  it('resumes with the arrays of rank 0 where processors round differently', async () => {
    const warnings: string[] = [];
    const logger = { info: () => {}, warn: (message: string) => void warnings.push(message) };
    const tasks = [toyTask(), toyTask()];
    const drifting: TrainTask = {
      ...(tasks[1] as TrainTask),
      step: async (samples, rng) => {
        for (const parameter of (tasks[1] as TrainTask).model.trainableParameters()) {
          const moved = parameter.value.mul(1 + 2 ** -20);
          parameter.assign(moved);
          moved.dispose();
        }
        return (tasks[1] as TrainTask).step(samples, rng);
      },
    };
    await trainOn(2, ({ rank }) => ({ ...options('drift', {}, rank === 1 ? drifting : tasks[0]), logger }));
    expect(warnings[0]).toMatch(/^step 3: the ranks' weights differ in their last digits/);
    const [first, second] = await Promise.all(
      tasks.map(({ model }) => Promise.all(model.trainableParameters().map(({ value }) => value.data()))),
    );
    expect(second).toEqual(first);
  });
});

describe('a process started by a launcher', () => {
  it('is one of several only where the launcher sets it', () => {
    expect(launchOf({})).toBeUndefined();
    expect(launchOf({ OMPI_COMM_WORLD_SIZE: '1', OMPI_COMM_WORLD_RANK: '0' })).toBeUndefined();
    expect(launchOf({ OMPI_COMM_WORLD_SIZE: '4', OMPI_COMM_WORLD_RANK: '3' })).toEqual({
      size: 4,
      rank: 3,
      launcher: 'mpirun',
      connects: true,
    });
    expect(launchOf({ PMI_SIZE: '2', PMI_RANK: '1' })).toEqual({ size: 2, rank: 1, launcher: 'mpirun', connects: true });
    // A batch script of Slurm is one process, whatever the number of tasks.
    expect(launchOf({ SLURM_NTASKS: '4', SLURM_PROCID: '0' })).toBeUndefined();
    const slurm = { SLURM_STEP_NUM_TASKS: '4', SLURM_PROCID: '2' };
    expect(launchOf({ ...slurm, PMIX_RANK: '2' })).toEqual({ size: 4, rank: 2, launcher: 'srun', connects: true });
    expect(launchOf(slurm)).toEqual({ size: 4, rank: 2, launcher: 'srun', connects: false });
  });

  it('is refused where srun does not connect it, or the addon is not built, with the remedy', () => {
    expect(() => connect({ size: 4, launcher: 'srun', connects: false })).toThrow(
      /^srun, 4 processes: srun started them without MPI.*--mpi=pmix/,
    );
    const missing = () => ({ reason: undefined });
    expect(() => connect({ size: 2, launcher: 'mpirun', connects: true }, missing)).toThrow(
      /^mpirun, 2 processes: the addon for MPI is not built. Install an MPI .*mpicc.*run the set-up again/,
    );
    const alone = { init: () => ({ rank: 0, size: 1, localRank: 0, localSize: 1, library: 'MPICH' }), finalize: () => {} };
    expect(() => connect({ size: 2, launcher: 'mpirun', connects: true }, () => ({ exports: alone }))).toThrow(
      /the addon was compiled for MPICH, which sees one process. Use the launcher of that MPI, or set SONOGROUND_MPICC/,
    );
  });
});
