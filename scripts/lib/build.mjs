/** Compiles src/ to dist/ when it is older. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './places.mjs';
import { SetupError, say } from './say.mjs';

const STAMP = join(root, 'dist', '.built');

/** Compiles if need be. Type errors end it. */
export async function build() {
  if (existsSync(STAMP) && statSync(STAMP).mtimeMs >= newest()) return;
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/@typescript/native/bin/tsc'), '-p', 'tsconfig.build.json'],
    { cwd: root, encoding: 'utf8' },
  );
  if (status !== 0) {
    await rm(STAMP, { force: true });
    say(stdout);
    throw new SetupError('the sources do not compile');
  }
  await writeFile(STAMP, '');
}

/** When the sources were last changed. */
function newest() {
  const files = [
    'tsconfig.json',
    'tsconfig.build.json',
    ...readdirSync(join(root, 'src'), { recursive: true }).map((name) => join('src', name)),
  ];
  return Math.max(...files.map((file) => statSync(join(root, file)).mtimeMs));
}
