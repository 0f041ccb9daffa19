/**
 * Compiles the project's TensorFlow operations (native/) against the installed TensorFlow.
 *
 * The object is placed beside tfjs-node-gpu's binding: src/backend/native-objects.ts finds it there wherever the project is
 * installed, and `npm ci` removes both together. Its name contains the hash of its sources, which shows whether it is outdated.
 * If it could not be compiled, a note of the same name contains the reason, and src/backend does without; compiling is retried
 * after a change, or by an explicit set-up.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bindingDeps, bindingFile, cacheDir, root } from './places.mjs';
import { say } from './say.mjs';
import { compiler, installedVariant, supported } from './tensorflow.mjs';
import { complaint, runTool } from './tool.mjs';
import { usable } from './trust.mjs';

const SOURCES = join(root, 'native');
/** The header that contains TensorFlow's version. */
const VERSION = join(bindingDeps, 'include', 'tensorflow', 'core', 'public', 'release_version.h');

const PREFIX = 'sonoground-ops-';
const FLAGS = [
  '-std=c++17', // with GNU's designated initialisers
  '-D_GLIBCXX_USE_CXX11_ABI=1', // as in the wheel; otherwise symbols are missing at link time
  '-O3',
  '-ffp-contract=off', // see native/deformable-sampling.cc
  '-fPIC',
  '-fvisibility=hidden',
  '-shared',
  '-w', // other compilers may have other warnings; the tests are strict
];
const DIRECTORIES = ['-isystem', join(bindingDeps, 'include'), `-L${join(bindingDeps, 'lib')}`];
/**
 * Reports missing symbols at build time, rather than in the middle of training. No run path: TensorFlow is already loaded. Never
 * unloaded, as Node would do when a worker thread ends: TensorFlow and other threads keep pointers into it.
 */
const LINK = ['-l:libtensorflow_framework.so.2', '-Wl,-z,defs', '-Wl,-z,now', '-Wl,-z,nodelete'];

/** Whether everything is installed, known not to be available, or there is no current TensorFlow to use it. */
export function nativeOpsSettled() {
  if (installedVariant() === undefined || !existsSync(SOURCES)) return true;
  const { object, note } = places();
  return existsSync(object) || existsSync(note);
}

/** Lists what would be done, as lines of text. */
export function planNativeOps() {
  if (!existsSync(SOURCES) || !supported || compiler() === undefined) return [];
  return [`compile the native operations with ${compiler()}, or take them from the cache`];
}

/** Clears the record of an earlier failure. */
export async function retryNativeOps() {
  if (installedVariant() === undefined || !existsSync(SOURCES)) return;
  await rm(places().note, { force: true });
}

/** Compiles and installs missing objects. A failure prints one line. */
export async function installNativeOps() {
  if (nativeOpsSettled()) return;
  const { object, note, cached } = places();
  const reason = (await usable(cached)) ? undefined : await compile(cached);
  await clear();
  if (reason === undefined) {
    await copyFile(cached, `${object}.new`);
    await rename(`${object}.new`, object);
  } else {
    say(`native operations: ${reason}; the portable versions are used, which are many times slower on a CPU`);
    await writeFile(note, reason);
  }
}

function places() {
  const hash = createHash('sha256').update([installedVariant(), ...FLAGS, ...LINK].join(' '));
  for (const path of [VERSION, ...sources()]) hash.update(existsSync(path) ? readFileSync(path) : '');
  const name = `${PREFIX}${hash.digest('hex').slice(0, 16)}`;
  const beside = join(dirname(bindingFile), name);
  return { object: `${beside}.node`, note: `${beside}.failed`, cached: join(cacheDir, 'native-ops', `${name}.node`) };
}

function sources(ending = /\.(cc|h|inc)$/) {
  const names = readdirSync(SOURCES).filter((name) => ending.test(name));
  return names.sort().map((name) => join(SOURCES, name));
}

/** Removes objects of other sources. */
async function clear() {
  const dir = dirname(bindingFile);
  const old = readdirSync(dir).filter((name) => name.startsWith(PREFIX));
  await Promise.all(old.map((name) => rm(join(dir, name), { force: true })));
}

/** @returns undefined, or a clause with the reason of the failure. */
async function compile(target) {
  if (!existsSync(VERSION)) return "TensorFlow's headers are not there";
  const command = compiler();
  if (command === undefined) return 'there is no C++ compiler (g++)';
  say(`compiling the native operations with ${command}, about a minute`);
  const fresh = `${target}.new`;
  await mkdir(dirname(target), { recursive: true });
  await rm(fresh, { force: true });
  const args = [...FLAGS, ...DIRECTORIES, ...sources(/\.cc$/), '-o', fresh, ...LINK];
  const { code, stderr } = await runTool(command, args, { cwd: root });
  if (code !== 0) {
    await rm(fresh, { force: true });
    return `they did not compile (${complaint(stderr)})`;
  }
  await rename(fresh, target);
  return undefined;
}
