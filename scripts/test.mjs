/**
 * `npm test`: installs what is missing, checks types, style and import rules, runs all tests. Arguments go to jest, but for
 * `--slow`, which adds the slow tier.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { build } from './lib/build.mjs';
import { runChecks } from './lib/checks.mjs';
import { root } from './lib/places.mjs';
import { quietTensorflow } from './lib/quiet.mjs';
import { main, SetupError, say } from './lib/say.mjs';

await main(async () => {
  await bootstrap();
  const slow = process.argv.includes('--slow');
  const args = process.argv.slice(2).filter((arg) => arg !== '--slow');
  const checked = runChecks();
  await build();
  quietTensorflow();
  if (!slow) say('the slow tier is skipped; `npm test -- --slow` runs it');
  const dir = mkdtempSync(join(tmpdir(), 'sonoground-test-'));
  const report = join(dir, 'report.json');
  const { status } = spawnSync(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--no-warnings',
      join(root, 'node_modules/jest/bin/jest.js'),
      '--json',
      `--outputFile=${report}`,
      ...args,
    ],
    {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ...(slow ? { SONOGROUND_SLOW: '1' } : {}) },
    },
  );
  const counts = readCounts(report);
  rmSync(dir, { recursive: true, force: true });
  if (counts === undefined) throw new SetupError('jest did not finish');
  process.stdout.write(`${counts.passed} passed, ${counts.failed + (checked ? 0 : 1)} failed, ${counts.skipped} skipped\n`);
  if (status !== 0 || !checked || counts.passed === 0) process.exitCode = 1;
});

function readCounts(report) {
  try {
    const json = JSON.parse(readFileSync(report, 'utf8'));
    return {
      passed: json.numPassedTests,
      failed: json.numFailedTests + json.numRuntimeErrorTestSuites,
      skipped: json.numPendingTests,
    };
  } catch {
    return undefined;
  }
}
