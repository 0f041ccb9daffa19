import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { Rng } from '../../src/util/index.js';
import { notMpi, runRanks } from '../support/mpi.js';
import { describeUnless } from '../support/skipped.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const support = (name: string) => fileURLToPath(new URL(`../support/${name}`, import.meta.url));
const RUN = fileURLToPath(new URL('../../scripts/run.mjs', import.meta.url));

/** Float32 sums in another order, through the whole model. */
const TOLERANCE = 2e-5;
/** Of tensors whose gradient is below a thousandth of the model's largest, where rounding weighs more: 2.03e-5 was seen. */
const SMALL_TOLERANCE = 4e-5;
const STEPS = 20;

/** More take minutes: `SONOGROUND_KILLS=10`. */
const KILLS = Number(process.env['SONOGROUND_KILLS'] ?? 4);

interface Step {
  readonly images: number;
  readonly loss: readonly [number, number];
  readonly norm: readonly [number, number];
  readonly terms: readonly [Record<string, number>, Record<string, number>];
  readonly errors: readonly { readonly path: string; readonly largest: number; readonly difference: number }[];
  readonly sameMatches: boolean;
  readonly matches: number;
  readonly sameOnAllRanks: boolean;
}

const dir = temporaryFolder('mpi');

const mpirun = (ranks: number, args: readonly string[], environment: object = {}) =>
  runRanks('mpirun', ['-n', String(ranks), process.execPath, ...args], environment);

/** Trains eight weights, for which plain JavaScript starts fastest. */
const trained = (ranks: number, name: string, killAt = 0, rank = 0) =>
  mpirun(ranks, [support('train-child.mjs'), join(dir, name), String(killAt), '0', String(rank)], { SONOGROUND_BACKEND: 'cpu' });

/** Every file of a run whose bytes must not depend on where it was killed. */
async function bytesOf(name: string): Promise<Map<string, string>> {
  const within = async (folder: string) => (await readdir(join(dir, name, folder))).map((file) => join(folder, file));
  const files = [...(await within('checkpoints')), ...(await within('best')), 'log.jsonl'];
  const read = async (file: string) => [file, (await readFile(join(dir, name, file))).toString('base64')] as const;
  return new Map(await Promise.all(files.map(read)));
}

describeUnless(notMpi, 'training over MPI', () => {
  it.each([2, 4])(`gives the detector's gradients of one process on %d ranks, over ${STEPS} steps`, async (size) => {
    const { code, out, err } = await mpirun(size, [support('ranks-gradients-child.mjs'), String(STEPS)]);
    if (code !== 0) throw new Error(err);
    const { results, tensors } = JSON.parse(out) as { results: Step[]; tensors: number[] };
    expect(results).toHaveLength(STEPS);
    // A batch of 5 is shared unevenly, and the last of a pass, of 1 image, not by all.
    expect(new Set(results.map(({ images }) => images))).toEqual(new Set([5, 1]));
    for (const { loss, norm, terms, errors, sameMatches, matches, sameOnAllRanks } of results) {
      expect(matches).toBeGreaterThan(0);
      expect(sameMatches).toBe(true);
      expect(sameOnAllRanks).toBe(true);
      const near = ([actual, expected]: readonly [number, number]) =>
        expect(Math.abs(actual - expected)).toBeLessThan(TOLERANCE * Math.max(Math.abs(expected), 1e-3));
      near(loss);
      near(norm);
      for (const [name, value] of Object.entries(terms[1])) near([terms[0][name] as number, value]);
      const whole = Math.max(...errors.map(({ largest }) => largest));
      // The gradient of the biases of attention's keys is zero but for rounding: these agree in no digit.
      const alive = errors.filter(({ largest }) => largest > 1e-5 * whole);
      expect(alive.length).toBeGreaterThan(0.8 * errors.length);
      for (const { path, largest, difference } of alive) {
        const tolerance = largest < 1e-3 * whole ? SMALL_TOLERANCE : TOLERANCE;
        if (difference > tolerance * largest) throw new Error(`${path}: ${difference / largest} of its largest gradient`);
      }
    }
    expect(new Set(tensors.slice(1)).size).toBe(1);
  });

  it(`ends all when a rank is killed, and resumes to the same bytes, killed ${KILLS} times at random moments`, async () => {
    const undisturbed = await trained(2, 'undisturbed');
    if (undisturbed.code !== 0) throw new Error(undisturbed.err);
    const acts = Number(undisturbed.out);
    expect(acts).toBeGreaterThan(100);
    const rng = Rng.seeded(Number(process.env['SONOGROUND_KILL_SEED'] ?? 1));
    let kills = 0;
    for (let tries = 0; tries < KILLS; tries++) {
      // Rank 1 only meets rank 0, which also writes.
      const rank = tries % 2;
      const { code } = await trained(2, 'killed', 1 + rng.int(Math.floor(acts / (rank === 1 ? 5 : 3))), rank);
      kills += Number(code !== 0);
    }
    expect(kills).toBeGreaterThan(KILLS / 3);
    expect(await trained(2, 'killed')).toMatchObject({ code: 0 });
    expect(await bytesOf('killed')).toEqual(await bytesOf('undisturbed'));
  });

  it('refuses several processes for another command, by one message', async () => {
    const { code, err } = await mpirun(2, [RUN, 'eval']);
    expect(code).not.toBe(0);
    expect(err.match(/error: eval: mpirun started it 2 times, and each would do all of the work/g)).toHaveLength(1);
  });

  it('trains by the command line, and refuses ranks of other settings by one message', async () => {
    const words = (...set: string[]) => {
      const phantom = [
        'data.phantom.train=4',
        'data.phantom.val=2',
        'data.phantom.test=1',
        'train.probe=none',
        'train.preflight=false',
      ];
      const all = [`run.dir=${join(dir, 'command')}`, 'train.epochs=1', 'train.batchSize=2', ...phantom, ...set];
      return ['-n', '1', process.execPath, RUN, 'train', '--config', 'configs/phantom.yaml', '--set', ...all];
    };
    const differ = await runRanks('mpirun', [...words(), ':', ...words('train.clipNorm=0.7')]);
    expect(differ.code).not.toBe(0);
    expect(differ.err.match(/error: rank 1 of 2: train.clipNorm is 0.7 here and \S+ on rank 0/g)).toHaveLength(1);
    const { code, err } = await runRanks('mpirun', [...words(), ':', ...words()]);
    if (code !== 0) throw new Error(err);
    expect(err.match(/^epoch 1\/1 {2}train/gm)).toHaveLength(1);
    expect(err.match(/^rank 0 spent \d+\.\d s adding gradients over the ranks/gm)).toHaveLength(1);
    expect(await readdir(join(dir, 'command'))).toEqual(expect.arrayContaining(['best', 'metrics.json', 'per-image.csv']));
  });
});
