/**
 * Compiles the operations with CUDA kernels (native/cuda/), if TensorFlow is the CUDA build and NVIDIA's compiler is installed.
 * src/backend/cuda-ops.ts loads this object instead of the CPU's if TensorFlow has a CUDA device. As for the CPU's object, its
 * name contains the hash of its sources, and if it could not be built, a note of the same name contains the reason.
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

/** Sources other than the kernels: the operations' names and checks. */
const BESIDE = ['addon.cc', 'deformable-attention.cc', 'deformable-sampling.cc'];

/** Compute capabilities to generate code for, if supported by the compiler; drivers translate it for newer GPUs. */
const ARCHITECTURES = [50, 60, 70, 75, 80, 86, 89, 90, 100, 120];

const HOST = ['-fPIC', '-fvisibility=hidden', '-ffp-contract=off', '-D_GLIBCXX_USE_CXX11_ABI=1', '-w'];
const FLAGS = ['-std=c++17', '-O3', '-fmad=false', '-w', '-shared', '-cudart', 'static', '-Xcompiler', HOST.join(',')];
const LINK = ['-Xlinker', '-l:libtensorflow_framework.so.2,-z,defs,-z,now,-z,nodelete'];

/** Whether they are installed, known not to be available, or not applicable to this TensorFlow. */
export function cudaOpsSettled() {
  if (!wanted()) return true;
  const { object, note } = places();
  return existsSync(object) || existsSync(note);
}

/** Lists what would be done for a variant, as lines of text. */
export function planCudaOps(variant) {
  if (variant !== 'cuda' || !existsSync(CUDA)) return [];
  const command = nvcc();
  if (command !== undefined) return [`compile deformable attention for CUDA with ${command}, or take it from the cache`];
  return ["no NVIDIA compiler (nvcc) was found: on a GPU deformable attention is computed by TensorFlow's own operations"];
}

/** Clears the record of an earlier failure. */
export async function retryCudaOps() {
  if (wanted()) await rm(places().note, { force: true });
}

/** Compiles and installs them. A failure prints one line. */
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

/** The header that contains TensorFlow's version. */
function versionHeader() {
  return join(bindingDeps, 'include', 'tensorflow', 'core', 'public', 'release_version.h');
}

function sources() {
  const shared = readdirSync(SOURCES).filter((name) => name.endsWith('.h') || BESIDE.includes(name));
  return [...shared.sort().map((name) => join(SOURCES, name)), ...readdirSync(CUDA).sort().map((name) => join(CUDA, name))]; // biome-ignore format: short
}

/** NVIDIA's compiler: on the path, in `CUDA_HOME` or at its installer's default location; undefined if there is none. */
export function nvcc() {
  const home = process.env.CUDA_HOME || process.env.CUDA_PATH || '/usr/local/cuda';
  return ['nvcc', join(home, 'bin', 'nvcc')].find((command) => starts(command));
}

/** @returns undefined, or a clause with the reason of the failure. */
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
 * Arguments of the compiler.
 *
 * @param tensorflow - the folder of TensorFlow's `include` and `lib`.
 * @param target - the object to create.
 */
export function compileArguments(command, tensorflow, target) {
  const where = ['-isystem', join(tensorflow, 'include'), '-L', join(tensorflow, 'lib')];
  return [...FLAGS, ...codeFor(command), ...where, ...sources().filter((path) => /\.(cc|cu)$/.test(path)), '-o', target, ...LINK];
}

/** Machine code for each supported architecture, plus PTX of the newest, which drivers translate. */
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
