/** Static checks: types, style, import rules, nothing that is unused. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { modulesDir, root } from './places.mjs';
import { say } from './say.mjs';

const tool = (path) => join(modulesDir, path);

const CHECKS = [
  ['types', [tool('@typescript/native/bin/tsc'), '-p', 'tsconfig.json']],
  [
    'style',
    [tool('@biomejs/biome/bin/biome'), 'ci', '--error-on-warnings', `--colors=${process.stdout.isTTY ? 'force' : 'off'}`, '.'],
  ],
  [
    'import rules',
    [tool('dependency-cruiser/bin/dependency-cruise.mjs'), 'src', '--config', '.dependency-cruiser.cjs', '--output-type', 'err'],
  ],
  ['unused files, exports and packages', [tool('knip/bin/knip.js'), '--no-progress']],
];

/** Runs all checks; returns whether all passed. */
export function runChecks() {
  return CHECKS.map(([name, args]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
    say(`${name}: ${status === 0 ? 'ok' : 'failed'}`);
    if (status !== 0) process.stdout.write(`${stdout}\n${stderr}\n`);
    return status === 0;
  }).every(Boolean);
}
