/** Compiles src/ to dist/ when it is older, and bundles the page that computes in the browser. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { copyFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from './lock.mjs';
import { checkout, modulesDir, root } from './places.mjs';
import { SetupError, say } from './say.mjs';
import { buildStaticPage } from './static-page.mjs';

const DIST = join(root, 'dist');
const STAMP = join(DIST, '.built');
const COMPILER = join(modulesDir, '@typescript', 'native', 'bin', 'tsc');

/** Compiles if need be. Type errors are printed; what was compiled in spite of them runs. */
export async function build() {
  if (!checkout || (upToDate() && pageBuilt())) return;
  await withLock(join(root, '.setup-lock'), async () => {
    if (!upToDate()) await compile();
    else if (!pageBuilt()) await addPage(DIST, () => {});
  });
}

/** Where its bundler was not to be had it is tried again, but told once. */
function pageBuilt() {
  return existsSync(join(DIST, 'static-page', 'index.html'));
}

/** Everything else works without it; its export says that it is missing. */
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

/** Into a new folder that takes the place of the old one, so that nothing stays of sources that are gone. */
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
  // With errors there is no stamp: they are shown again next time.
  if (status === 0) await stamp(fresh, began);
  const old = `${fresh}-old`;
  if (existsSync(DIST)) await rename(DIST, old);
  await rename(fresh, DIST);
  await rm(old, { recursive: true, force: true });
}

/** Dated when the compiler began, so that what was changed meanwhile counts as newer. */
async function stamp(dir, date) {
  const path = join(dir, '.built');
  await writeFile(path, '');
  await utimes(path, date, date);
}

/** When the sources were last changed; a folder counts, as it changes when a file goes. */
function newestSource() {
  const files = ['src', ...readdirSync(join(root, 'src'), { recursive: true }).map((name) => join('src', name))];
  const paths = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json', ...files];
  return Math.max(...paths.map((path) => statSync(join(root, path)).mtimeMs));
}
