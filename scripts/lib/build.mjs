/** Compiles src/ to dist/ if outdated, and bundles the page that runs in the browser. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { copyFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import module from 'node:module';
import { join } from 'node:path';
import { BUNDLE, bundleCli } from './bundle-cli.mjs';
import { withLock } from './lock.mjs';
import { checkout, modulesDir, root } from './places.mjs';
import { SetupError, say } from './say.mjs';
import { buildStaticPage } from './static-page.mjs';

const DIST = join(root, 'dist');
const STAMP = join(DIST, '.built');
const COMPILER = join(modulesDir, '@typescript', 'native', 'bin', 'tsc');

/** The module that runs the command line. */
export function commandLine() {
  const bundled = join(DIST, BUNDLE);
  return existsSync(bundled) ? bundled : join(DIST, 'cli', 'index.js');
}

/**
 * Keeps the code that Node compiles of modules loaded from now on, so that the next command need not compile them again (Node 22.1 and
 * later). The folder lies beside the modules, where only those can write who can change the modules, and a new build replaces both.
 * Where it cannot be written, Node compiles as before.
 */
export function keepCompiled(dist = DIST) {
  module.enableCompileCache?.(join(dist, '.compiled'));
}

/** Compiles if needed. Type errors are printed; the output is used in spite of them. */
export async function build() {
  if (!checkout || (upToDate() && pageBuilt())) return;
  await withLock(join(root, '.setup-lock'), async () => {
    if (!upToDate()) await compile();
    else if (!pageBuilt()) await addPage(DIST, () => {});
  });
}

/** If the bundler was not available, it is retried, but reported only once. */
function pageBuilt() {
  return existsSync(join(DIST, 'static-page', 'index.html'));
}

/** Everything else works without it; exporting the page then fails with an error. */
async function addPage(dir, tell) {
  try {
    await buildStaticPage(join(dir, 'static-page'));
  } catch (error) {
    (error instanceof SetupError ? tell : say)(`the page that computes in the browser was not built: ${error.message}`);
  }
}

function upToDate() {
  return existsSync(STAMP) && statSync(STAMP).mtimeMs >= newestSource();
}

/** Writes a new folder that replaces the old one, so that no output of deleted sources remains. */
async function compile() {
  const began = new Date();
  const fresh = join(root, `.dist-${process.pid}`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMPILER, '-p', 'tsconfig.build.json', '--outDir', fresh], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) say(`${stdout}${stderr}`.trim());
  if (!existsSync(join(fresh, 'cli', 'index.js'))) {
    await rm(fresh, { recursive: true, force: true });
    throw new SetupError('the sources do not compile');
  }
  for (const name of ['index.html', 'style.css']) await copyFile(join(root, 'src', 'web', name), join(fresh, 'web', name));
  await addPage(fresh, say);
  // Without the bundler, the modules are loaded one by one.
  await bundleCli(fresh).catch((error) => say(`commands start more slowly, as they were not bundled: ${error.message}`));
  // Without a stamp, errors are shown again next time.
  if (status === 0) await stamp(fresh, began);
  const old = `${fresh}-old`;
  if (existsSync(DIST)) await rename(DIST, old);
  await rename(fresh, DIST);
  await rm(old, { recursive: true, force: true });
}

/** Dated to the start of the compilation, so that files changed during it count as newer. */
async function stamp(dir, date) {
  const path = join(dir, '.built');
  await writeFile(path, '');
  await utimes(path, date, date);
}

/** Time of the last change of the sources; folders count too, as they change when a file is deleted. */
function newestSource() {
  const files = ['src', ...readdirSync(join(root, 'src'), { recursive: true }).map((name) => join('src', name))];
  const paths = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json', ...files];
  return Math.max(...paths.map((path) => statSync(join(root, path)).mtimeMs));
}
