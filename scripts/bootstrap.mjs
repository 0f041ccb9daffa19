/**
 * Installs what is missing: npm packages, then a native TensorFlow under tfjs-node-gpu, else the next best backend.
 *
 *   node scripts/bootstrap.mjs [--cuda] [--dry-run]
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { withLock } from './lib/lock.mjs';
import { bindingDeps, bindingFile, bindingPackage, cacheDir, fallbackNote, root } from './lib/places.mjs';
import { main, SetupError, say } from './lib/say.mjs';
import { installTensorflow, plan, supported } from './lib/tensorflow.mjs';

const LOCK_FILE = join(root, 'package-lock.json');
/** The lock file's hash at the last complete install. */
const STAMP = join(root, 'node_modules', '.sonoground-lock-hash');

/** Whether nothing is left to do. Takes milliseconds. */
export function isReady() {
  return packagesReady() && (nativeReady() || existsSync(fallbackNote));
}

function packagesReady() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === lockHash();
}

function nativeReady() {
  return existsSync(bindingFile) && existsSync(join(bindingDeps, 'lib', 'libtensorflow_cc.so.2'));
}

function lockHash() {
  return createHash('sha256').update(readFileSync(LOCK_FILE)).digest('hex');
}

/** Installs what is missing. With `cuda`, the CUDA variant of TensorFlow. */
export async function bootstrap({ cuda = false } = {}) {
  if (isReady() && !cuda) return;
  await withLock(join(root, '.setup-lock'), async () => {
    if (!packagesReady()) await installPackages();
    if (!cuda && nativeReady()) return;
    await withLock(join(cacheDir, 'lock'), () => installNative(cuda ? 'cuda' : 'cpu'));
  });
}

async function installPackages() {
  say('installing npm packages');
  await rm(STAMP, { force: true });
  npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], 'npm ci failed: see its message above');
  // npm drops an optional package without a word when its install script fails.
  if (!existsSync(bindingPackage))
    npm(['ci', '--ignore-scripts', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'], 'npm ci failed');
  await writeFile(STAMP, lockHash());
}

function npm(args, message) {
  const cli = process.env.npm_execpath;
  const [command, before] = cli?.endsWith('.js')
    ? [process.execPath, [cli]]
    : [process.platform === 'win32' ? 'npm.cmd' : 'npm', []];
  const { status } = spawnSync(command, [...before, ...args], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new SetupError(message);
}

/** Native TensorFlow; failing that the stock one; failing that WebAssembly, which is in the npm packages. */
async function installNative(variant) {
  await rm(fallbackNote, { force: true });
  const reason = await installTensorflow(variant);
  if (reason === undefined) return;
  say(`native TensorFlow: ${reason}; trying the stock installer of tfjs-node-gpu`);
  if (stockInstaller()) return;
  const note = `native TensorFlow is not available (${reason}, and the stock installer failed)`;
  await writeFile(fallbackNote, JSON.stringify({ reason: note }));
  say(`${note}: using WebAssembly, else plain JavaScript, which are many times slower. \`npm run setup\` tries again`);
}

/** Fetches TensorFlow 2.9.1 from TensorFlow's own host, if that can be reached. */
function stockInstaller() {
  if (!supported && process.platform === 'linux') return false;
  const { status } = spawnSync(process.execPath, ['scripts/install.js', 'gpu', 'download'], {
    cwd: bindingPackage,
    stdio: 'ignore',
    timeout: 600_000,
  });
  return status === 0 && existsSync(bindingFile);
}

async function command() {
  const unknown = process.argv.slice(2).filter((arg) => !['--cuda', '--dry-run'].includes(arg));
  if (unknown.length > 0) throw new SetupError(`setup takes --cuda and --dry-run, not ${unknown.join(' ')}`);
  const cuda = process.argv.includes('--cuda');
  if (process.argv.includes('--dry-run')) {
    say(`npm packages: ${packagesReady() ? 'installed' : 'npm ci'}`);
    say(`native TensorFlow: ${nativeReady() && !cuda ? 'installed' : ''}`);
    for (const line of plan(cuda ? 'cuda' : 'cpu')) say(`  ${line}`);
    return;
  }
  // An explicit set-up tries again what failed before.
  if (!nativeReady()) await rm(fallbackNote, { force: true });
  await bootstrap({ cuda });
  say(nativeReady() ? 'sonoground is set up, with native TensorFlow' : 'sonoground is set up, without native TensorFlow');
}

if (process.argv[1] && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) await main(command);
