import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from '@jest/globals';
import { runRanks } from '../support/mpi.js';
import { makeScans, resultsOf } from '../support/scans.js';
import { describeUnless } from '../support/skipped.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

const PYTHON = process.env['SONOGROUND_RAY_PYTHON'] ?? 'python3';

/** Why what needs Ray is left out. */
const notRay =
  spawnSync(PYTHON, ['-c', 'import ray']).status === 0
    ? undefined
    : 'it needs Ray: pip install ray, and SONOGROUND_RAY_PYTHON names the python that has it';

const IMAGES = 12;
const SHARDS = 3;
const TRIES = 5;
const NANO = ['--detector', 'weights/nano-grounding-dino', '--masker', 'weights/nano-sam2'];

describeUnless(notRay, 'on Ray', () => {
  const dir = temporaryFolder('ray');
  const at = (...names: string[]) => join(dir, ...names);
  const words = ['--image', at('scans'), '--prompt', 'cyst. kidney.', '--threshold', '0.05', ...NANO];
  // Ray's own files go with the test's. It would run tasks at the lowest priority.
  const environment = { RAY_TMPDIR: dir, RAY_ADDRESS: '', RAY_worker_niceness: '0', PYTHONUNBUFFERED: '1' };
  /** On a loaded machine Ray may fail to start, as it gives its own processes 30 s for it. */
  const driver = async (...args: string[]) => {
    for (let tries = 1; ; tries++) {
      const ended = await runRanks(PYTHON, ['deploy/ray_infer.py', '--cpus', '0.5', ...args], environment);
      const started = ended.code === 2 || /^\d+ of \d+ shards have ended/m.test(ended.out);
      if (started || tries === TRIES) return ended;
    }
  };
  beforeAll(() => makeScans(at('scans'), IMAGES));

  it('a shard that is killed is tried again, and the merge gives the bytes of one run', async () => {
    const whole = await runRanks(process.execPath, ['scripts/run.mjs', 'infer', ...words, '--out', at('whole')]);
    expect(whole.code).toBe(0);
    let over = false;
    const running = driver('--shards', String(SHARDS), '--out', at('out'), '--', ...words).finally(() => {
      over = true;
    });
    const shard = at('out', 'shards', `1-of-${SHARDS}`);
    await until(async () => over || (await readFile(join(shard, 'journal.jsonl'), 'utf8').catch(() => '')) !== '');
    if (over) throw new Error((await running).err);
    const { pid } = JSON.parse(await readFile(join(shard, '.lock'), 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    const { code, out, err } = await running;
    expect([code, err]).toEqual([0, expect.stringMatching(/12 images, \d+ objects? found in total/)]);
    expect(out + err).toMatch(/shard 1\/3: exit code -9/);
    expect(out + err).toMatch(/\d done before/);
    expect(out).toMatch(/^3 of 3 shards have ended/m);
    expect(await resultsOf(at('out'))).toEqual(await resultsOf(at('whole')));
  });

  it('a shard that cannot succeed is named, and not tried again', async () => {
    const { code, out, err } = await driver('--shards', '1', '--out', at('none'), '--', ...words, '--threshold', '7');
    expect([code, err]).toEqual([1, expect.stringMatching(/^shard 0\/1: exit code 2$/m)]);
    expect((out + err).match(/shard 0\/1: exit code 2\b/g)?.length).toBeLessThanOrEqual(2);
    expect(err).toMatch(/there is nothing to merge in/);
  });

  it('refuses less than one shard', async () => {
    const { code, err } = await driver('--shards', '0', '--out', at('none'), '--', ...words);
    expect([code, err]).toEqual([2, expect.stringMatching(/--shards and --tries are at least 1/)]);
  });
});
