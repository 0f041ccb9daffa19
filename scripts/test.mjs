/**
 * `npm test`: installs missing dependencies, checks types, style and import rules, and runs all tests; then runs those of the
 * native kernels and of the models' blocks again for each lesser kind of processor that this one supports. Arguments are passed
 * to jest, except `--slow`, which adds the slow tier; with arguments, or SONOGROUND_VECTORS, tests run once.
 */
import { bootstrap } from './bootstrap.mjs';
import { build } from './lib/build.mjs';
import { runChecks } from './lib/checks.mjs';
import { runJest } from './lib/jest.mjs';
import { quietTensorflow } from './lib/quiet.mjs';
import { main, say } from './lib/say.mjs';
import { skippedLines } from './lib/skipped.mjs';
import { vectorKinds } from './lib/vector-kinds.mjs';

/** Tests that depend on how matrix products are computed: the operations, what is built from them, and its golden values. */
const OF_VECTORS = ['test/ops/', 'test/nn/', 'test/models/'];

await main(async () => {
  await bootstrap();
  const slow = process.argv.includes('--slow') || process.env.SONOGROUND_SLOW === '1';
  const args = process.argv.slice(2).filter((arg) => arg !== '--slow');
  const checked = runChecks();
  await build();
  quietTensorflow();
  const env = { SONOGROUND_SLOW: slow ? '1' : '' };
  const runs = [await runJest(args, env)];
  const skipped = skippedLines(runs[0].reasons);
  if (!slow) skipped.push('skipped: the slow tier; `npm test -- --slow` runs it');
  if (args.length === 0 && process.env.SONOGROUND_VECTORS === undefined) {
    const { here, missing } = vectorKinds();
    for (const kind of here.slice(0, -1)) {
      say(`operations and models with SONOGROUND_VECTORS=${kind}`);
      runs.push(await runJest(OF_VECTORS, { ...env, SONOGROUND_VECTORS: kind }));
    }
    if (here.length === 0) skipped.push('skipped: the kinds of vector kernels, as the native operations are not in use here');
    else
      for (const kind of missing)
        skipped.push(`skipped: operations and models with SONOGROUND_VECTORS=${kind}, which is not on this machine`);
  }
  // A name pattern skips all other tests, for a reason that its author knows.
  if (!args.some((arg) => /^(-t|--testNamePattern)/.test(arg))) for (const line of skipped) say(line);
  const sum = (name) => runs.reduce((total, run) => total + run[name], 0);
  // Failed checks count as one failed test. The last line is machine-readable.
  process.stdout.write(`${sum('passed')} passed, ${sum('failed') + (checked ? 0 : 1)} failed, ${sum('skipped')} skipped\n`);
  if (!checked || runs.some(({ ok }) => !ok)) process.exitCode = 1;
});
