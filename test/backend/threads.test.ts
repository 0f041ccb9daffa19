import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeNative, nativeOpsMissing } from '../support/native-ops.js';

const missing = await nativeOpsMissing();

const dist = (path: string) => JSON.stringify(pathToFileURL(join(process.cwd(), 'dist', path)).href);

/** Starts the backend and computes with an operation of our own; prints `1 deformable attention, …`. */
const COMPUTE = `
  const { initBackend, nativeOps, tf } = await import(${dist('backend/index.js')});
  const { multiScaleDeformableAttention } = await import(${dist('ops/index.js')});
  await initBackend('tensorflow');
  const answer = multiScaleDeformableAttention({
    value: tf.ones([2, 6, 2, 3]),
    spatialShapes: [[2, 3]],
    samplingLocations: tf.fill([2, 4, 2, 1, 1, 2], 0.5),
    attentionWeights: tf.ones([2, 4, 2, 1, 1]),
  });
  console.log(Math.max(...(await answer.data())), nativeOps().names.join(', '));`;

const THREADS = `
  import { Worker } from 'node:worker_threads';
  const source = new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(COMPUTE)}));
  const thread = () => new Promise((resolve, reject) => new Worker(source).on('error', reject).on('exit', resolve));
  const main = async () => {${COMPUTE}};`;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sonoground-threads-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/**
 * Runs a program in a process of its own, which an abort ends alone. Standard error is a plain file that was written to before and
 * is written to afterwards by another program.
 */
async function run(program: string): Promise<{ code: number | null; lines: string[]; errors: string[] }> {
  const file = join(dir, 'errors.txt');
  const errors = openSync(file, 'w');
  const command = ['-c', 'echo before >&2; "$0" --input-type=module -e "$1"; code=$?; echo after >&2; exit $code'];
  const child = spawn('/bin/sh', [...command, process.execPath, program], { stdio: ['ignore', 'pipe', errors] });
  closeSync(errors);
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, lines: output.trim().split('\n').filter(Boolean), errors: (await readFile(file, 'utf8')).trim().split('\n') };
}

/** Logged by TensorFlow before it has read TF_CPP_MIN_LOG_LEVEL: nothing but these may show. */
const EARLY_LOG = /^(WARNING: All log messages before absl::InitializeLog\(\)|I\d{4} \S+ +\d+ port\.cc:\d+\] oneDNN )/;

const good = expect.stringMatching(/^1 deformable attention, /);

describeNative(missing, 'TensorFlow in threads', () => {
  it.each([
    ['one after another', 'await thread(); await thread();', 2],
    ['several at once', 'await Promise.all([thread(), thread(), thread()]);', 3],
    ['beside the main thread, before and after', 'await thread(); await main(); await thread(); await main();', 4],
  ])('starts in threads %s, and logs at most two lines', async (_, body, times) => {
    const { code, lines, errors } = await run(THREADS + body);
    const early = errors.filter((line) => EARLY_LOG.test(line));
    expect(errors).toEqual(['before', ...early, 'after']);
    expect(early.length).toBeLessThanOrEqual(2);
    expect(code).toBe(0);
    expect(lines).toEqual(new Array(times).fill(good));
  });
});
