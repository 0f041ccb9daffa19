/** The npm packages in the lock file. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { bindingPackage, checkout, modulesDir, root } from './places.mjs';
import { countProgress, SetupError, say } from './say.mjs';
import { complaint, runTool } from './tool.mjs';

const LOCK_FILE = join(root, 'package-lock.json');
/** npm's own record of the installation. */
const INSTALLED = join(modulesDir, '.package-lock.json');
/** Hash of the lock file when the packages were last verified. */
const STAMP = join(modulesDir, '.sonoground-lock-hash');

/** Whether the installed packages match the lock file. */
export function packagesReady() {
  if (!checkout) return true;
  if (!existsSync(INSTALLED)) return false;
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === lockHash();
}

/** Installs the packages, unless already done by `npm ci` or `npm install`. */
export async function installPackages() {
  if (!sameVersions()) await cleanInstall();
  await writeFile(STAMP, lockHash());
}

function lockHash() {
  return createHash('sha256').update(readFileSync(LOCK_FILE)).digest('hex');
}

/**
 * Whether npm has installed exactly the lock file's packages, ignoring other systems' optional dependencies; the project's own
 * optional packages are for every system.
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
    // Explicit, because the user's settings may make npm skip optional packages.
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
 * Restores the package that binds TensorFlow, which npm silently removes if its install script cannot reach TensorFlow's host.
 * The script is not run here: its download comes from elsewhere.
 */
export async function restoreBinding() {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const wanted = Object.entries(optionalDependencies).map(([name, version]) => `${name}@${version}`);
  say(`npm left out ${wanted.join(', ')}; installing it without its script`);
  const [command, before] = npm();
  const quiet = ['--no-audit', '--no-fund', '--progress=false', '--loglevel=error', '--prefer-offline'];
  // The project's own dependencies are left unchanged.
  const { code, stderr } = await runTool(command, [...before, 'install', '--no-save', '--ignore-scripts', ...quiet, ...wanted], {
    cwd: dirname(modulesDir),
  });
  if (code !== 0) say(`npm could not install it: ${complaint(stderr)}`);
}

/** The npm that started this process, else the one on the path. */
export function npm() {
  const caller = process.env.npm_execpath;
  if (caller !== undefined && /^npm(-cli)?\.c?js$/.test(basename(caller))) return [process.execPath, [caller]];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm', []];
}
