/** The npm packages, as the lock file names them. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { bindingPackage, checkout, modulesDir, root } from './places.mjs';
import { countProgress, SetupError, say } from './say.mjs';
import { complaint, runTool } from './tool.mjs';

const LOCK_FILE = join(root, 'package-lock.json');
/** What npm itself keeps of an installation. */
const INSTALLED = join(modulesDir, '.package-lock.json');
/** The lock file's hash when the packages were last found to be complete. */
const STAMP = join(modulesDir, '.sonoground-lock-hash');

/** Whether the installed packages are those of the lock file. */
export function packagesReady() {
  if (!checkout) return true;
  if (!existsSync(INSTALLED)) return false;
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === lockHash();
}

/** Installs the packages, unless somebody else already has by `npm ci` or `npm install`. */
export async function installPackages() {
  if (!sameVersions()) await cleanInstall();
  await writeFile(STAMP, lockHash());
}

function lockHash() {
  return createHash('sha256').update(readFileSync(LOCK_FILE)).digest('hex');
}

/**
 * Whether npm has installed just what the lock file asks for, leaving out optional packages of other systems; those that the
 * project itself names are for every system.
 */
function sameVersions() {
  if (!existsSync(INSTALLED) || !existsSync(bindingPackage)) return false;
  const wanted = readLock(LOCK_FILE);
  const installed = readLock(INSTALLED);
  const { optionalDependencies = {} } = wanted[''];
  delete wanted[''];
  return (
    Object.keys(optionalDependencies).every((name) => `node_modules/${name}` in installed) &&
    Object.entries(installed).every(([path, { version }]) => wanted[path]?.version === version) &&
    Object.entries(wanted).every(([path, { optional }]) => path in installed || optional === true)
  );
}

function readLock(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages;
}

async function cleanInstall() {
  await rm(STAMP, { force: true });
  const paths = Object.keys(readLock(LOCK_FILE)).filter((path) => path !== '');
  const progress = countProgress('npm packages', paths.length);
  const watch = setInterval(
    () => progress.update(paths.filter((path) => existsSync(join(root, path, 'package.json'))).length),
    1000,
  );
  const [command, before] = npm();
  const quiet = ['--no-audit', '--no-fund', '--progress=false', '--loglevel=error'];
  const { code, stderr } = await runTool(
    command,
    // Named, because npm leaves optional packages out where the user's settings say so.
    [...before, 'ci', '--ignore-scripts', '--include=dev', '--include=optional', '--prefer-offline', ...quiet],
    { cwd: root },
  );
  clearInterval(watch);
  if (code !== 0) {
    progress.stop();
    throw new SetupError(`npm ci failed: ${complaint(stderr)}. Without a network, packages come only from npm's own cache`);
  }
  progress.done();
}

/**
 * Brings back the package that binds TensorFlow. npm removes it, without a word, when its own script cannot reach TensorFlow's
 * host. Here its script does not run: what it would download comes otherwise.
 */
export async function restoreBinding() {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const wanted = Object.entries(optionalDependencies).map(([name, version]) => `${name}@${version}`);
  say(`npm left out ${wanted.join(', ')}; installing it without its script`);
  const [command, before] = npm();
  const quiet = ['--no-audit', '--no-fund', '--progress=false', '--loglevel=error', '--prefer-offline'];
  // What the project itself asks for stays as it is.
  const { code, stderr } = await runTool(command, [...before, 'install', '--no-save', '--ignore-scripts', ...quiet, ...wanted], {
    cwd: dirname(modulesDir),
  });
  if (code !== 0) say(`npm could not install it: ${complaint(stderr)}`);
}

/** The npm that called, else the one on the path. */
export function npm() {
  const caller = process.env.npm_execpath;
  if (caller !== undefined && /^npm(-cli)?\.c?js$/.test(basename(caller))) return [process.execPath, [caller]];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm', []];
}
