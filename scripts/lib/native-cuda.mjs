/**
 * Compiles the operations that have a kernel for CUDA devices (native/cuda/), where TensorFlow is the CUDA build and NVIDIA's
 * compiler is there. src/backend/cuda-ops.ts loads the object in place of the one for the CPU when TensorFlow has a CUDA device.
 * As with that one its name holds the hash of all that it was made from, and a note of the same name says why there is none.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { bindingDeps, bindingFile, cacheDir, root } from './places.mjs';
import { say } from './say.mjs';
import { installedVariant } from './tensorflow.mjs';
import { complaint, runTool, starts } from './tool.mjs';
import { usable } from './trust.mjs';

const SOURCES = join(root, 'native');
const CUDA = join(SOURCES, 'cuda');
const PREFIX = 'sonoground-cuda-ops-';

/** What the kernels are beside: the operations' names and checks. */
const BESIDE = ['addon.cc', 'deformable-attention.cc', 'deformable-sampling.cc'];

/** Families of cards that code is made for, as far as the compiler knows them; drivers translate for newer ones. */
const ARCHITECTURES = [50, 60, 70, 75, 80, 86, 89, 90, 100, 120];

const HOST = ['-fPIC', '-fvisibility=hidden', '-ffp-contract=off', '-D_GLIBCXX_USE_CXX11_ABI=1', '-w'];
const FLAGS = ['-std=c++17', '-O3', '-fmad=false', '-w', '-shared', '-cudart', 'static', '-Xcompiler', HOST.join(',')];
const LINK = ['-Xlinker', '-l:libtensorflow_framework.so.2,-z,defs,-z,now,-z,nodelete'];

/** Whether they are in place, or known not to be available, or not for this TensorFlow. */
export function cudaOpsSettled() {
  if (!wanted()) return true;
  const { object, note } = places();
  return existsSync(object) || existsSync(note);
}

/** What would be done for a variant, as lines. */
export function planCudaOps(variant) {
  if (variant !== 'cuda' || !existsSync(CUDA)) return [];
  const command = nvcc();
  if (command !== undefined) return [`compile deformable attention for CUDA with ${command}, or take it from the cache`];
  return ["no NVIDIA compiler (nvcc) was found: on a GPU deformable attention is computed by TensorFlow's own operations"];
}

/** Forgets that it failed before. */
export async function retryCudaOps() {
  if (wanted()) await rm(places().note, { force: true });
}

/** Puts them in place. A failure is one line. */
export async function installCudaOps() {
  const { object, note, cached } = places();
  const reason = (await usable(cached)) ? undefined : await compile(cached);
  const dir = dirname(object);
  const old = readdirSync(dir).filter((name) => name.startsWith(PREFIX));
  await Promise.all(old.map((name) => rm(join(dir, name), { force: true })));
  if (reason === undefined) {
    await copyFile(cached, `${object}.new`);
    await rename(`${object}.new`, object);
  } else {
    say(`CUDA kernels: ${reason}; on a GPU TensorFlow's own operations are used`);
    await writeFile(note, reason);
  }
}

function wanted() {
  return installedVariant() === 'cuda' && existsSync(CUDA);
}

function places() {
  const hash = createHash('sha256').update([...FLAGS, ...LINK, ...ARCHITECTURES].join(' '));
  for (const path of [versionHeader(), ...sources()]) hash.update(existsSync(path) ? readFileSync(path) : '');
  const name = `${PREFIX}${hash.digest('hex').slice(0, 16)}`;
  const beside = join(dirname(bindingFile), name);
  return { object: `${beside}.node`, note: `${beside}.failed`, cached: join(cacheDir, 'native-ops', `${basename(beside)}.node`) };
}

/** Where TensorFlow's headers say which version they are. */
function versionHeader() {
  return join(bindingDeps, 'include', 'tensorflow', 'core', 'public', 'release_version.h');
}

function sources() {
  const shared = readdirSync(SOURCES).filter((name) => name.endsWith('.h') || BESIDE.includes(name));
  return [...shared.sort().map((name) => join(SOURCES, name)), ...readdirSync(CUDA).sort().map((name) => join(CUDA, name))]; // biome-ignore format: short
}

/** NVIDIA's compiler: on the path, in `CUDA_HOME` or where its installer puts it; undefined if there is none. */
export function nvcc() {
  const home = process.env.CUDA_HOME || process.env.CUDA_PATH || '/usr/local/cuda';
  return ['nvcc', join(home, 'bin', 'nvcc')].find((command) => starts(command));
}

/** @returns undefined, or the reason in a clause why it failed. */
async function compile(target) {
  const command = nvcc();
  if (command === undefined) return 'there is no NVIDIA compiler (nvcc)';
  if (!existsSync(versionHeader())) return "TensorFlow's headers are not there";
  say(`compiling deformable attention for CUDA with ${command}, about a minute`);
  const fresh = `${target}.new`;
  await mkdir(dirname(target), { recursive: true });
  await rm(fresh, { force: true });
  const { code, stderr } = await runTool(command, compileArguments(command, bindingDeps, fresh), { cwd: root });
  if (code !== 0) {
    await rm(fresh, { force: true });
    return `they did not compile (${complaint(stderr)})`;
  }
  await rename(fresh, target);
  return undefined;
}

/**
 * What the compiler is told.
 *
 * @param tensorflow - the folder of TensorFlow's `include` and `lib`.
 * @param target - the object to make.
 */
export function compileArguments(command, tensorflow, target) {
  const where = ['-isystem', join(tensorflow, 'include'), '-L', join(tensorflow, 'lib')];
  return [...FLAGS, ...codeFor(command), ...where, ...sources().filter((path) => /\.(cc|cu)$/.test(path)), '-o', target, ...LINK];
}

/** Code for each family that the compiler knows, and the newest in the form that drivers translate. */
function codeFor(command) {
  const { stdout } = spawnSync(command, ['--list-gpu-arch'], { encoding: 'utf8' });
  const known = [...(stdout ?? '').matchAll(/compute_(\d+)\b/g)].map(([, number]) => Number(number));
  const families = ARCHITECTURES.filter((number) => known.includes(number));
  const newest = families.at(-1);
  return [
    ...families.flatMap((number) => ['-gencode', `arch=compute_${number},code=sm_${number}`]),
    ...(newest === undefined ? [] : ['-gencode', `arch=compute_${newest},code=compute_${newest}`]),
  ];
}
