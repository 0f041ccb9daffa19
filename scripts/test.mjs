/**
 * `npm test`: installs what is missing, checks types, style and import rules, runs all tests. Arguments go to jest, but for
 * `--slow`, which adds the slow tier.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { build } from './lib/build.mjs';
import { runChecks } from './lib/checks.mjs';
import { modulesDir, root } from './lib/places.mjs';
import { passWithoutBanner, quietTensorflow } from './lib/quiet.mjs';
import { main, SetupError, say } from './lib/say.mjs';

await main(async () => {
  await bootstrap();
  const slow = process.argv.includes('--slow') || process.env.SONOGROUND_SLOW === '1';
  const args = process.argv.slice(2).filter((arg) => arg !== '--slow');
  const checked = runChecks();
  await build();
  quietTensorflow();
  if (!slow) say('the slow tier is skipped; `npm test -- --slow` runs it');
  const dir = mkdtempSync(join(tmpdir(), 'sonoground-test-'));
  try {
    const report = join(dir, 'report.json');
    const code = await runJest(['--json', `--outputFile=${report}`, ...args], slow);
    const counts = readCounts(report);
    if (counts === undefined) throw new SetupError('jest did not finish');
    // Checks that failed count as one failed test. The last line is for machines as well.
    const failed = counts.failed + (checked ? 0 : 1);
    process.stdout.write(`${counts.passed} passed, ${failed} failed, ${counts.skipped} skipped\n`);
    if (code !== 0 || failed > 0 || counts.passed === 0) process.exitCode = 1;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

async function runJest(args, slow) {
  const jest = join(modulesDir, 'jest', 'bin', 'jest.js');
  const child = spawn(process.execPath, ['--experimental-vm-modules', '--no-warnings', jest, ...args], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, SONOGROUND_SLOW: slow ? '1' : '', ...(process.stderr.isTTY ? { FORCE_COLOR: '1' } : {}) },
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  await passWithoutBanner(child.stderr, process.stderr);
  return ended;
}

function readCounts(report) {
  try {
    const json = JSON.parse(readFileSync(report, 'utf8'));
    return {
      passed: json.numPassedTests,
      failed: json.numFailedTests + json.numRuntimeErrorTestSuites,
      skipped: json.numPendingTests + json.numTodoTests,
    };
  } catch {
    return undefined;
  }
}
