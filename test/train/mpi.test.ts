import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { Rng } from '../../src/util/index.js';
import { compileAddon, type Mpi, mpis, notMpi, runRanks } from '../support/mpi.js';
import { describeUnless, notSlow } from '../support/skipped.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const support = (name: string) => fileURLToPath(new URL(`../support/${name}`, import.meta.url));
const RUN = fileURLToPath(new URL('../../scripts/run.mjs', import.meta.url));

/** Of a tensor's largest gradient. Activations are the same bits; sums over images are in another order, in float32. */
const TOLERANCE = 2e-5;
/** Of tensors whose gradient is below a thousandth of the model's largest: their sums cancel, and rounding weighs more. 2.43e-5 was seen. */
const SMALL_TOLERANCE = 4e-5;
/** Two passes over the data and more: each ends with a batch that not all ranks have a part of. More take minutes on two cores. */
const STEPS = notSlow === undefined ? 20 : 9;

/** Ten take minutes on a loaded machine. */
const KILLS = notSlow === undefined ? 10 : 4;

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

/** Trains 39 weights, for which plain JavaScript starts fastest. */
const trained = (ranks: number, name: string, killAt = 0, rank = 0) => mpirun(ranks, training(name, killAt, rank), PLAIN);

const PLAIN = { SONOGROUND_BACKEND: 'cpu' };
const training = (name: string, killAt = 0, rank = 0) => [
  support('train-child.mjs'),
  join(dir, name),
  String(killAt),
  '0',
  String(rank),
];

/** Two ranks by the launcher of an MPI. */
const runWith = ({ launcher }: Mpi, addon: string, args: readonly string[]) =>
  runRanks(launcher, ['-n', '2', process.execPath, ...args], { ...PLAIN, SONOGROUND_TEST_ADDON: addon });

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

  it(`ends all when a rank is killed at any of ${KILLS} moments, and resumes to the same bytes`, async () => {
    const undisturbed = await trained(2, 'undisturbed');
    if (undisturbed.code !== 0) throw new Error(undisturbed.err);
    const acts = undisturbed.out.trim().split(',').map(Number);
    for (const count of acts) expect(count).toBeGreaterThan(50);
    const expected = await bytesOf('undisturbed');
    const rng = Rng.seeded(Number(process.env['SONOGROUND_KILL_SEED'] ?? 1));
    for (let i = 0; i < KILLS; i++) {
      const rank = i % 2;
      // One in each equal part of the run.
      const part = (acts[rank] as number) / KILLS;
      const moment = 1 + Math.floor(i * part) + rng.int(Math.floor(part));
      expect((await trained(2, `killed-${i}`, moment, rank)).code).not.toBe(0);
      expect(await trained(2, `killed-${i}`)).toMatchObject({ code: 0 });
      expect(await bytesOf(`killed-${i}`)).toEqual(expected);
    }
  });

  it(`computes the same update with each MPI that is installed, and ends when a rank is killed: ${mpis.map(({ compiler }) => basename(compiler)).join(', ')}`, async () => {
    const bytes = [];
    for (const [i, mpi] of mpis.entries()) {
      const addon = join(dir, `addon-${i}.node`);
      compileAddon(mpi, addon);
      const run = (name: string, killAt = 0, rank = 0) => runWith(mpi, addon, training(name, killAt, rank));
      const whole = await run(`mpi-${i}`);
      if (whole.code !== 0) throw new Error(`${mpi.launcher}: ${whole.err}`);
      bytes.push(await bytesOf(`mpi-${i}`));
      for (const rank of [0, 1]) expect((await run(`mpi-${i}-killed`, 20, rank)).code).not.toBe(0);
      expect(await run(`mpi-${i}-killed`)).toMatchObject({ code: 0 });
      bytes.push(await bytesOf(`mpi-${i}-killed`));
    }
    for (const other of bytes.slice(1)) expect(other).toEqual(bytes[0]);
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
