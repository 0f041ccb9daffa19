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
async function run(program: string): Promise<{ code: number | null; lines: string[]; errors: string }> {
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
  return { code, lines: output.trim().split('\n').filter(Boolean), errors: await readFile(file, 'utf8') };
}

const good = expect.stringMatching(/^1 deformable attention, /);

describeNative(missing, 'TensorFlow in threads', () => {
  it.each([
    ['one after another', 'await thread(); await thread();', 2],
    ['several at once', 'await Promise.all([thread(), thread(), thread()]);', 3],
    ['beside the main thread, before and after', 'await thread(); await main(); await thread(); await main();', 4],
  ])('starts in %s, and says nothing on standard error', async (_, body, times) => {
    const { code, lines, errors } = await run(THREADS + body);
    expect(errors).toBe('before\nafter\n');
    expect(code).toBe(0);
    expect(lines).toEqual(new Array(times).fill(good));
  });
});

describeNative(missing, 'standard error while a library is loaded', () => {
  const withoutBanner = (body: string) => `
    import { writeSync } from 'node:fs';
    const { isTensorflowBanner, withoutBanner } = await import(${dist('backend/quiet.js')});
    ${body}`;

  it('loses the banner, and nothing else', async () => {
    const banner = [
      'WARNING: All log messages before absl::InitializeLog() is called are written to STDERR',
      'I0000 00:00:1795558181.146131   11905 port.cc:153] oneDNN custom operations are on.',
      'E0000 00:00:1795558181.146131   11905 cuda_dnn.cc:8579] Unable to register cuDNN factory',
      'To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow',
    ];
    const text = JSON.stringify(
      [banner[0], 'mine', ...banner.slice(1), 'F0000 00:00:1.5 1 op.cc:57] Check failed', 'end'].join('\n'),
    );
    const { errors } = await run(withoutBanner(`withoutBanner(() => writeSync(2, ${text} + '\\n'), isTensorflowBanner);`));
    expect(errors).toBe('before\nmine\nF0000 00:00:1.5 1 op.cc:57] Check failed\nend\nafter\n');
  });

  it('is there again after a failure, which comes through', async () => {
    const { code, errors, lines } = await run(
      withoutBanner(`
        try { withoutBanner(() => { writeSync(2, 'lost'); throw new Error('it broke'); }); } catch (error) { console.log(error.message); }
        writeSync(2, 'here\\n');`),
    );
    expect({ code, errors, lines }).toEqual({ code: 0, errors: 'before\nhere\nafter\n', lines: ['it broke'] });
  });

  it('may be closed', async () => {
    const { code, lines } = await run(
      `import { spawnSync } from 'node:child_process';
       const program = ${JSON.stringify(withoutBanner(`withoutBanner(() => console.log('loaded'));`))};
       const { stdout } = spawnSync('/bin/sh', ['-c', '"$0" --input-type=module -e "$1" 2>&-', process.execPath, program]);
       console.log(String(stdout));`,
    );
    expect({ code, lines }).toEqual({ code: 0, lines: ['loaded'] });
  });
});
