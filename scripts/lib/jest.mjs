/** Runs the tests in a separate process. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modulesDir, root } from './places.mjs';
import { passWithoutBanner } from './quiet.mjs';
import { SetupError } from './say.mjs';
import { skippedTests } from './skipped.mjs';

/**
 * Runs jest.
 *
 * @param args - jest's arguments.
 * @param env - added to this process's environment.
 * @returns the number of passed, failed and skipped tests, the reasons for skipping, and whether jest succeeded.
 */
export async function runJest(args, env) {
  const dir = mkdtempSync(join(tmpdir(), 'sonoground-test-'));
  try {
    const report = join(dir, 'report.json');
    const code = await start(['--ci', '--json', `--outputFile=${report}`, ...args], env);
    const counts = readCounts(report);
    if (counts === undefined) throw new SetupError('jest did not finish');
    return { ...counts, ok: code === 0 && counts.failed === 0 && counts.passed > 0 };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function start(args, env) {
  const jest = join(modulesDir, 'jest', 'bin', 'jest.js');
  const child = spawn(process.execPath, ['--experimental-vm-modules', '--no-warnings', jest, ...args], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...(process.stderr.isTTY ? { FORCE_COLOR: '1' } : {}), ...env },
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
      reasons: skippedTests(json, root),
    };
  } catch {
    return undefined;
  }
}
