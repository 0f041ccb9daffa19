/**
 * Installs missing dependencies: npm packages, then a native TensorFlow for tfjs-node-gpu with the project's own operations, else
 * the next best backend.
 *
 *   node scripts/bootstrap.mjs [--cuda | --cpu] [--dry-run]
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { planCudaDownloads } from './lib/cuda-plan.mjs';
import { withLock } from './lib/lock.mjs';
import { cudaOpsSettled, installCudaOps, planCudaOps, retryCudaOps } from './lib/native-cuda.mjs';
import { installMpi, mpiNote, mpiSettled, planMpi, retryMpi } from './lib/native-mpi.mjs';
import { installNativeOps, nativeOpsSettled, planNativeOps, retryNativeOps } from './lib/native-ops.mjs';
import { installPackages, packagesReady, restoreBinding } from './lib/packages.mjs';
import { bindingPackage, cacheDir, checkout, fallbackNote, root } from './lib/places.mjs';
import { isDiskProblem, main, SetupError, say } from './lib/say.mjs';
import { installStock } from './lib/stock.mjs';
import {
  executedFromCache,
  installedVariant,
  installTensorflow,
  plan,
  rememberVariant,
  wantedVariant,
} from './lib/tensorflow.mjs';
import { requireTrustedCache, withOwnMask } from './lib/trust.mjs';
import { TENSORFLOW_VERSION } from './lib/wheels.mjs';

const OLDEST_NODE = [20, 19];

/**
 * Installs missing dependencies. Takes milliseconds if there are none.
 *
 * @param options.native - whether TensorFlow and the native operations are needed, rather than just the npm packages.
 */
export async function bootstrap({ native = true } = {}) {
  checkNode();
  requireTrustedCache(executedFromCache());
  if (packagesReady() && (!native || (nativeSettled() && opsSettled()))) return;
  await setUp(wantedVariant(), native);
}

/** Whether TensorFlow is installed, or known not to be available. */
function nativeSettled() {
  return installedVariant() !== undefined || existsSync(fallbackNote);
}

/** Whether the project's own operations are installed, or known not to be available. */
function opsSettled() {
  return nativeOpsSettled() && cudaOpsSettled() && mpiSettled();
}

/** Whether the installed variant matches; a manual installation counts as the CPU variant. */
function serves(variant) {
  const installed = installedVariant();
  return installed === variant || (installed === 'own' && variant === 'cpu');
}

async function setUp(variant, native = true) {
  await withLock(join(root, '.setup-lock'), async () => {
    if (!packagesReady()) await installPackages();
    if (!native) return;
    if (!checkout && !existsSync(bindingPackage)) await restoreBinding();
    const wanted = !serves(variant) && !existsSync(fallbackNote);
    if (!wanted && opsSettled()) return;
    await withOwnMask(() =>
      withLock(join(cacheDir, 'setup-lock'), async () => {
        if (wanted) await installNative(variant);
        if (!nativeOpsSettled()) await installNativeOps();
        if (!cudaOpsSettled()) await installCudaOps();
        if (!mpiSettled()) await installMpi();
      }),
    );
  });
}

/** Native TensorFlow; failing that the stock version; failing that WebAssembly, which is among the npm packages. */
async function installNative(variant) {
  const reason = existsSync(bindingPackage) ? await tryTensorflow(variant) : 'npm left out @tensorflow/tfjs-node-gpu';
  if (reason === undefined) return;
  say(`TensorFlow 2.21: ${reason}; trying the stock installer of tfjs-node-gpu`);
  const stock = existsSync(bindingPackage) ? await installStock(variant) : 'it is not there';
  const outcome =
    stock === undefined
      ? `the stock TensorFlow 2.9 is used instead of 2.21 (${reason})`
      : `there is no native TensorFlow (${reason}; stock installer: ${stock})`;
  await writeFile(fallbackNote, JSON.stringify({ reason: outcome }));
  say(stock === undefined ? outcome : `${outcome}: WebAssembly is used, else plain JavaScript, both many times slower`);
  say(`\`${checkout ? 'npm run setup' : 'npx sonoground setup'}\` tries again`);
}

async function tryTensorflow(variant) {
  try {
    return await installTensorflow(variant);
  } catch (error) {
    if (isDiskProblem(error)) throw error;
    return error.message.split('\n')[0];
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  throw new SetupError(`Node ${OLDEST_NODE.join('.')} or newer is needed, this is ${process.versions.node}`);
}

const HELP = `npx sonoground setup [--cuda | --cpu] [--dry-run]

Installs what is missing: TensorFlow ${TENSORFLOW_VERSION}, the package that binds it to Node, and the native operations. Every other command does
the same before it runs; this one also tries again what failed before.

Options:
  --cuda     TensorFlow for NVIDIA GPUs, with the CUDA libraries
  --cpu      TensorFlow for the processor alone; the default, until --cuda was chosen
  --dry-run  list what would be installed
  --help     show this help`;

/** The set-up as a command: `npx sonoground setup`, or in a clone `npm run setup`. */
export async function setUpCommand(args) {
  if (args.includes('--help')) return void process.stdout.write(`${HELP}\n`);
  const unknown = args.filter((arg) => !['--cuda', '--cpu', '--dry-run'].includes(arg));
  if (unknown.length > 0) throw new SetupError(`setup takes --cuda, --cpu and --dry-run, not ${unknown.join(' ')}`);
  if (args.includes('--cuda') && args.includes('--cpu')) throw new SetupError('setup takes --cuda or --cpu, not both');
  const asked = ['cuda', 'cpu'].find((variant) => args.includes(`--${variant}`));
  const variant = asked ?? wantedVariant();
  if (args.includes('--dry-run')) return showPlan(variant);
  checkNode();
  requireTrustedCache(executedFromCache());
  // Retry earlier failures.
  await rm(fallbackNote, { force: true });
  await retryNativeOps();
  await retryCudaOps();
  await retryMpi();
  const ready = packagesReady() && serves(variant) && opsSettled();
  if (!ready) await setUp(variant);
  // Not before it is there: new clones would begin to download it as well.
  if (asked !== undefined && serves(asked)) await withOwnMask(() => rememberVariant(asked));
  const withoutMpi = ready ? undefined : mpiNote();
  if (withoutMpi !== undefined) say(withoutMpi);
  const note = existsSync(fallbackNote) ? JSON.parse(readFileSync(fallbackNote, 'utf8')).reason : undefined;
  say(
    note === undefined
      ? `sonoground is set up, with TensorFlow 2.21 (${installedVariant()})`
      : 'sonoground is set up, without TensorFlow 2.21',
  );
}

async function showPlan(variant) {
  const steps = [
    ...(packagesReady() ? [] : ['npm ci']),
    ...(!checkout && !existsSync(bindingPackage) ? ['npm install the package that npm left out'] : []),
    ...(serves(variant) ? [] : plan(variant)),
    ...(variant === 'cuda' && !serves(variant) ? await planCudaDownloads() : []),
    ...(serves(variant) && nativeOpsSettled() ? [] : planNativeOps()),
    ...(serves(variant) && cudaOpsSettled() ? [] : planCudaOps(variant)),
    ...(serves(variant) && mpiSettled() ? [] : planMpi()),
  ];
  say(steps.length === 0 ? 'nothing to do' : `to do:\n${steps.map((step) => `  ${step}`).join('\n')}`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href)
  await main(() => setUpCommand(process.argv.slice(2)));
