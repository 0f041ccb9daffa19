import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { notMpi, runRanks } from '../support/mpi.js';
import { makeScans, resultsOf } from '../support/scans.js';
import { describeUnless, itUnless } from '../support/skipped.js';
import { notPmix, notSlurm, type Slurm, startSlurm } from '../support/slurm.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

const IMAGES = 12;
const SHARDS = 3;
const NANO = ['--detector', 'weights/nano-grounding-dino', '--masker', 'weights/nano-sam2'];

describeUnless(notSlurm, 'on a Slurm of two nodes', () => {
  const dir = temporaryFolder('slurm');
  const at = (...names: string[]) => join(dir, ...names);
  const words = ['--image', at('scans'), '--prompt', 'cyst. kidney.', '--threshold', '0.05', ...NANO];
  const submitted = ['--output', at('%x-%A_%a.log')];
  let slurm: Slurm;

  beforeAll(async () => {
    await makeScans(at('scans'), IMAGES);
    slurm = await startSlurm(2);
    expect((await sonoground('infer', ...words, '--out', at('whole'))).code).toBe(0);
  });

  afterAll(() => slurm?.stop());

  const sonoground = (...args: string[]) => runRanks(process.execPath, ['scripts/run.mjs', ...args]);

  const shards = (array: string, out: string, environment: object = {}) =>
    slurm.submit([...submitted, '--array', array, 'deploy/slurm/shards.sbatch', 'infer', ...words, '--out', at(out)], {
      SHARDS: String(SHARDS),
      ...environment,
    });

  const merge = async (out: string) => {
    const environment = { SHARDS: String(SHARDS) };
    const job = await slurm.submit(['--output', at('merge-%j.log'), 'deploy/slurm/merge.sbatch', at(out)], environment);
    return { states: await slurm.ended(job), log: await readFile(at(`merge-${job}.log`), 'utf8') };
  };

  const bytesOf = (folder: string) => resultsOf(at(folder));

  const logOf = (task: string) => readFile(at(`sonoground-${task}.log`), 'utf8');

  const linesOf = async (out: string, shard: number) => {
    const journal = await readFile(at(out, 'shards', `${shard}-of-${SHARDS}`, 'journal.jsonl'), 'utf8').catch(() => '');
    return journal.split('\n').length - 1;
  };

  /** Stops the process of a shard with its first images done, before it can do the others; gives its number. */
  const held = async (out: string, shard: number): Promise<number> => {
    await until(async () => (await linesOf(out, shard)) > 0);
    const lock = await readFile(at(out, 'shards', `${shard}-of-${SHARDS}`, '.lock'), 'utf8');
    const { pid } = JSON.parse(lock) as { pid: number };
    process.kill(pid, 'SIGSTOP');
    return pid;
  };

  it('an array job and its merge give the bytes of one run, though a task was killed and its node failed', async () => {
    const job = await shards(`0-${SHARDS - 1}`, 'out');
    // Two tasks run, one on each node. The one is killed with its first images done, the other loses its node.
    const [first] = await Promise.all([held('out', 0), held('out', 1)]);
    process.kill(first, 'SIGKILL');
    const { out: node } = await slurm.run('squeue', ['--noheader', '--format=%N', '--jobs', `${job}_1`]);
    await slurm.run('scontrol', ['update', `nodename=${node.trim()}`, 'state=down', 'reason=test']);
    await slurm.run('scontrol', ['update', `nodename=${node.trim()}`, 'state=resume']);
    expect(await slurm.ended(job)).toEqual(['FAILED 137:0', 'COMPLETED 0:0', 'COMPLETED 0:0']);
    expect(await linesOf('out', 0)).toBeLessThan(IMAGES / SHARDS);
    expect(await logOf(`${job}_1`)).toMatch(/images done, .*, \d done before/);

    const incomplete = await merge('out');
    expect(incomplete.states).toEqual(['FAILED 1:0']);
    expect(incomplete.log).toMatch(/shards\/0-of-3: \d of 4 images are done/);
    // Nothing half-written: what is there is whole, and belongs to an image.
    const whole = await bytesOf('whole');
    for (const [name, bytes] of await bytesOf('out'))
      if (name.endsWith('.png')) expect([name, bytes === whole.get(name)]).toEqual([name, true]);

    expect(await slurm.ended(await shards('0', 'out'))).toEqual(['COMPLETED 0:0']);
    const complete = await merge('out');
    expect(complete).toEqual({
      states: ['COMPLETED 0:0'],
      log: expect.stringMatching(/^12 images, \d+ objects? found in total/m),
    });
    expect(await bytesOf('out')).toEqual(whole);
  });

  it('submit.sh makes the merge wait for all tasks', async () => {
    const environment = { SBATCH_OUTPUT: at('%x-%A_%a.log'), AT_ONCE: '2' };
    const { out, err } = await slurm.run('deploy/slurm/submit.sh', [String(SHARDS), at('submitted'), ...words], environment);
    const [, array = '', merging = ''] = /^array job (\d+), merge (\d+)$/m.exec(out) ?? [err];
    expect(await slurm.ended(merging)).toEqual(['COMPLETED 0:0']);
    expect(await slurm.ended(array)).toEqual(Array(SHARDS).fill('COMPLETED 0:0'));
    expect(await bytesOf('submitted')).toEqual(await bytesOf('whole'));
    const usage = await slurm.run('deploy/slurm/submit.sh', ['many', at('submitted'), ...words]);
    expect([usage.code, usage.err]).toEqual([2, expect.stringMatching(/^usage: \S+ SHARDS OUT options of infer/)]);
  });

  it('a task near its time limit finishes its image, queues again and continues', async () => {
    const job = await shards('0', 'limited');
    const pid = await held('limited', 0);
    await slurm.run('scancel', ['--batch', '--signal=USR1', `${job}_0`]);
    await until(async () => /^ShdPnd:\t0{12}4/m.test(await readFile(`/proc/${pid}/status`, 'utf8'))); // SIGTERM
    process.kill(pid, 'SIGCONT');
    expect(await slurm.ended(job)).toEqual(['COMPLETED 0:0']);
    expect(await logOf(`${job}_0`)).toMatch(/interrupted; the same command resumes[\s\S]*images done, .*, \d done before/);
  });

  it('the wrong number of a shard, or of shards, ends a task with the reason', async () => {
    const [beyond, unknown] = await Promise.all([shards(`${SHARDS}`, 'wrong'), shards('0', 'wrong', { SHARDS: '' })]);
    expect([await slurm.ended(beyond), await logOf(`${beyond}_3`)]).toEqual([
      ['FAILED 2:0'],
      expect.stringMatching(/--shard: there is no part 3 of 3/),
    ]);
    expect([await slurm.ended(unknown), await logOf(`${unknown}_0`)]).toEqual([
      ['FAILED 1:0'],
      expect.stringMatching(/SHARDS: export the number of shards before sbatch/),
    ]);
  });

  it('a shard that two tasks were given is done by one, and one that is missing is named by the merge', async () => {
    const jobs = await Promise.all([shards('0', 'twice'), shards('0', 'twice')]);
    const states = await Promise.all(jobs.map(async (job) => (await slurm.ended(job)).join()));
    expect(states).toContain('COMPLETED 0:0');
    for (const [i, state] of states.entries()) {
      const log = await logOf(`${jobs[i]}_0`);
      expect(log).toMatch(state === 'COMPLETED 0:0' ? /^\d images done/m : /process \d+ is writing results into it/);
    }
    expect(await linesOf('twice', 0)).toBe(IMAGES / SHARDS);
    await slurm.ended(await shards('2', 'twice'));
    expect(await merge('twice')).toEqual({
      states: ['FAILED 2:0'],
      log: expect.stringMatching(/of 3 shards this one is missing: 1\. Run infer with --shard 1\/3, or add --partial/),
    });
  });

  it('an evaluation as an array job gives the table of one run', async () => {
    const evaluation = (folder: string) => {
      const phantom = ['data.phantom.train=2', 'data.phantom.val=2', 'data.phantom.test=3'];
      return ['eval', '--config', 'configs/phantom.yaml', '--set', `run.dir=${at(folder)}`, ...phantom];
    };
    const args = [...submitted, '--array=0-1', 'deploy/slurm/shards.sbatch', ...evaluation('eval-shards')];
    expect(await slurm.ended(await slurm.submit(args, { SHARDS: '2' }))).toEqual(Array(2).fill('COMPLETED 0:0'));
    for (const folder of ['eval-shards', 'eval-whole']) expect((await sonoground(...evaluation(folder))).code).toBe(0);
    const table = (folder: string) => readFile(at(folder, 'per-image.csv'), 'utf8');
    expect(await table('eval-shards')).toBe(await table('eval-whole'));
  });

  itUnless(notPmix ?? notMpi, 'training over srun on two nodes gives the weights of two ranks of mpirun', async () => {
    const training = (folder: string) => {
      const phantom = ['data.phantom.train=4', 'data.phantom.val=2', 'data.phantom.test=1'];
      const set = [`run.dir=${at(folder)}`, 'train.epochs=1', 'train.batchSize=2', 'train.probe=none', 'train.preflight=false'];
      return ['--config', 'configs/phantom.yaml', '--set', ...set, ...phantom];
    };
    const job = await slurm.submit(['--output', at('train-%j.log'), 'deploy/slurm/train.sbatch', ...training('srun')]);
    const states = await slurm.ended(job);
    const log = await readFile(at(`train-${job}.log`), 'utf8');
    expect([states, log]).toEqual([['COMPLETED 0:0'], expect.stringMatching(/^2 ranks on Open MPI/m)]);
    expect(log.match(/^epoch 1\/1/gm)).toHaveLength(1);
    const { code, err } = await runRanks('mpirun', [
      '-n',
      '2',
      process.execPath,
      'scripts/run.mjs',
      'train',
      ...training('mpirun'),
    ]);
    if (code !== 0) throw new Error(err);
    const weights = async (folder: string) => {
      const names = (await readdir(at(folder, 'best'))).filter((name) => name.endsWith('.safetensors')).sort();
      return Promise.all(names.map((name) => readFile(at(folder, 'best', name), 'base64')));
    };
    const expected = await weights('mpirun');
    expect(expected.length).toBeGreaterThan(0);
    expect(await weights('srun')).toEqual(expected);
  });
});
