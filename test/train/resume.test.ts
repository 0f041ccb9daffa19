import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { Rng } from '../../src/util/index.js';
import { readSafetensors } from '../../src/weights/formats/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const CHILD = fileURLToPath(new URL('../support/train-child.mjs', import.meta.url));
const KILLS = 8;

const dir = temporaryFolder('resume');

/** Trains in a process of its own; tells whether it was killed and how many acts on the file system it made otherwise. */
async function child(name: string, killAt: number, workers: number): Promise<{ killed: boolean; acts: number }> {
  const process_ = spawn(process.execPath, [CHILD, join(dir, name), String(killAt), String(workers)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  process_.stdout.on('data', (chunk) => {
    out += chunk;
  });
  process_.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    process_.on('close', (...ended) => resolve(ended)),
  );
  if (signal !== 'SIGKILL' && code !== 0) throw new Error(err);
  return { killed: signal === 'SIGKILL', acts: Number(out) };
}

/** Every file of a run whose bytes must not depend on where it was killed. */
async function bytesOf(name: string): Promise<Map<string, string>> {
  const checkpoints = (await readdir(join(dir, name, 'checkpoints'))).map((file) => join('checkpoints', file));
  const best = (await readdir(join(dir, name, 'best'))).map((file) => join('best', file));
  const files = [...checkpoints, ...best, 'log.jsonl'];
  return new Map(
    await Promise.all(files.map(async (file) => [file, (await readFile(join(dir, name, file))).toString('base64')] as const)),
  );
}

describe('a run that is killed and resumed', () => {
  it(`ends with the same bytes as one in one go, killed ${KILLS} times at random moments, in the middle of writing too`, async () => {
    const { acts } = await child('one-go', 0, 0);
    expect(acts).toBeGreaterThan(100);
    const rng = Rng.seeded(Number(process.env['SONOGROUND_KILL_SEED'] ?? 1));
    let [kills, hadBest] = [0, false];
    for (let tries = 0; tries < KILLS; tries++) {
      kills += Number((await child('killed', 1 + rng.int(Math.floor(acts / 3)), tries === 3 ? 2 : 0)).killed);
      const best = await readSafetensors(join(dir, 'killed', 'best', 'model.safetensors')).then(
        () => true,
        () => false,
      );
      if (hadBest) expect(best).toBe(true);
      hadBest = best;
    }
    expect(kills).toBeGreaterThan(2);
    expect((await child('killed', 0, 1)).killed).toBe(false);
    expect(await bytesOf('killed')).toEqual(await bytesOf('one-go'));
    // Neither half-written files nor old weights are left.
    const names = [...(await readdir(join(dir, 'killed'))), ...(await readdir(join(dir, 'killed', 'checkpoints')))];
    expect(names.filter((file) => /\.tmp$|\.link$/.test(file))).toEqual([]);
    expect(names.filter((file) => file.startsWith('best-'))).toHaveLength(1);
  });
});
