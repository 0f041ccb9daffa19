/**
 * Compiles what this project has in C++ (native/): its TensorFlow operations, against the TensorFlow that is in place, and what
 * holds back TensorFlow's banner.
 *
 * The objects lie beside the binding of tfjs-node-gpu: src/backend/native-objects.ts finds them there from wherever the project is
 * installed, and `npm ci` throws all away together. A name holds the hash of all that the object was made from, so that one
 * look tells whether it is out of date. Where it cannot be compiled a note of the same name says why, and src/backend does without;
 * it is tried again when something has changed, or by an explicit set-up.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bindingDeps, bindingFile, cacheDir, modulesDir, root } from './places.mjs';
import { say } from './say.mjs';
import { compiler, installedVariant, supported } from './tensorflow.mjs';
import { complaint, runTool } from './tool.mjs';
import { usable } from './trust.mjs';

const SOURCES = join(root, 'native');
/** Where TensorFlow's headers say which version they are. */
const VERSION = join(bindingDeps, 'include', 'tensorflow', 'core', 'public', 'release_version.h');

/** Whoever unloads an object (Node does, when a worker thread ends) would leave TensorFlow and other threads with its addresses. */
const STAY = '-Wl,-z,nodelete';

const OPERATIONS = {
  prefix: 'sonoground-ops-',
  folder: SOURCES,
  needs: [VERSION],
  flags: [
    '-std=c++17',
    '-D_GLIBCXX_USE_CXX11_ABI=1', // as the wheel was built; with another one the linker finds names missing
    '-O3',
    '-ffp-contract=off', // see native/deformable-sampling.cc
    '-fPIC',
    '-fvisibility=hidden',
    '-shared',
    '-w', // TensorFlow's headers make pages of warnings
  ],
  where: ['-isystem', join(bindingDeps, 'include'), `-L${join(bindingDeps, 'lib')}`],
  /** Missing names are found here, not in the middle of a training. No run path: TensorFlow is in the process already. */
  link: ['-l:libtensorflow_framework.so.2', '-Wl,-z,defs', '-Wl,-z,now', STAY],
  begins: (command) => `compiling the native operations with ${command}, about 30 s`,
  failed: (reason) => `native operations: ${reason}; the portable versions are used, which are many times slower on a CPU`,
};

/** It knows nothing of TensorFlow, as it has to be there before that. Without it a banner shows at worst: nothing is said. */
const STANDARD_ERROR = {
  prefix: 'sonoground-stderr-',
  folder: join(SOURCES, 'stderr'),
  needs: [],
  flags: ['-std=c++17', '-O2', '-fPIC', '-fvisibility=hidden', '-shared', '-DNAPI_VERSION=8'],
  where: [`-I${join(modulesDir, 'node-api-headers', 'include')}`],
  link: [STAY],
  begins: () => undefined,
  failed: () => undefined,
};

const OBJECTS = [STANDARD_ERROR, OPERATIONS].filter(({ folder }) => existsSync(folder));

/** Whether everything is in place, or known not to be available, or there is no current TensorFlow to run with it. */
export function nativeOpsSettled() {
  if (installedVariant() === undefined) return true;
  return OBJECTS.every(isSettled);
}

function isSettled(kind) {
  const { object, note } = places(kind);
  return existsSync(object) || existsSync(note);
}

/** What would be done, as lines. */
export function planNativeOps() {
  if (OBJECTS.length === 0 || !supported || compiler() === undefined) return [];
  return [`compile the native operations with ${compiler()}, or take them from the cache`];
}

/** Forgets that it failed before. */
export async function retryNativeOps() {
  if (installedVariant() === undefined) return;
  for (const kind of OBJECTS) await rm(places(kind).note, { force: true });
}

/** Puts what is missing in place. A failure is one line. */
export async function installNativeOps() {
  for (const kind of OBJECTS) if (!isSettled(kind)) await install(kind);
}

async function install(kind) {
  const { object, note, cached } = places(kind);
  const reason = (await usable(cached)) ? undefined : await compile(kind, cached);
  await clear(kind);
  if (reason === undefined) {
    await copyFile(cached, `${object}.new`);
    await rename(`${object}.new`, object);
  } else {
    tell(kind.failed(reason));
    await writeFile(note, reason);
  }
}

function places(kind) {
  const hash = createHash('sha256').update([installedVariant(), ...kind.flags, ...kind.link].join(' '));
  for (const path of [...kind.needs, ...sources(kind)]) hash.update(existsSync(path) ? readFileSync(path) : '');
  const name = `${kind.prefix}${hash.digest('hex').slice(0, 16)}`;
  const beside = join(dirname(bindingFile), name);
  return { object: `${beside}.node`, note: `${beside}.failed`, cached: join(cacheDir, 'native-ops', `${name}.node`) };
}

function sources({ folder }, ending = /\.(cc|h|inc)$/) {
  const names = readdirSync(folder).filter((name) => ending.test(name));
  return names.sort().map((name) => join(folder, name));
}

/** Removes what was made from other sources. */
async function clear({ prefix }) {
  const dir = dirname(bindingFile);
  const old = readdirSync(dir).filter((name) => name.startsWith(prefix));
  await Promise.all(old.map((name) => rm(join(dir, name), { force: true })));
}

/** @returns undefined, or the reason in a clause why it failed. */
async function compile(kind, target) {
  if (!kind.needs.every((path) => existsSync(path))) return "TensorFlow's headers are not there";
  const command = compiler();
  if (command === undefined) return 'there is no C++ compiler (g++)';
  tell(kind.begins(command));
  const fresh = `${target}.new`;
  await mkdir(dirname(target), { recursive: true });
  await rm(fresh, { force: true });
  const args = [...kind.flags, ...kind.where, ...sources(kind, /\.cc$/), '-o', fresh, ...kind.link];
  const { code, stderr } = await runTool(command, args, { cwd: root });
  if (code !== 0) {
    await rm(fresh, { force: true });
    return `they did not compile (${complaint(stderr)})`;
  }
  await rename(fresh, target);
  return undefined;
}

function tell(line) {
  if (line !== undefined) say(line);
}
