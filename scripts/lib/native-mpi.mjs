/**
 * Compiles the collective operations of data-parallel training (native/mpi/), if an MPI is installed. As for the TensorFlow
 * operations, the object is placed beside tfjs-node-gpu's binding, its name contains the hash of its sources and of the MPI, and
 * if it could not be built, a note of the same name contains the reason.
 */
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, delimiter, dirname, join } from 'node:path';
import { bindingFile, cacheDir, modulesDir, root } from './places.mjs';
import { say } from './say.mjs';
import { installedVariant } from './tensorflow.mjs';
import { complaint, runTool } from './tool.mjs';
import { usable } from './trust.mjs';

const SOURCE = join(root, 'native', 'mpi', 'addon.c');
const PREFIX = 'sonoground-mpi-';
const FLAGS = ['-std=c11', '-O3', '-fPIC', '-fvisibility=hidden', '-shared', '-w'];
/** Never unloaded: MPI's own threads and exit handlers point into it. */
const LINK = ['-Wl,-z,nodelete'];

/**
 * Whether the addon is installed or known not to compile, or there is no MPI. Only looks for files, as every command asks. One
 * built earlier stays where `mpicc` is not found, as on the compute nodes of a cluster.
 */
export function mpiSettled() {
  const compiler = mpiCompiler();
  if (compiler === undefined || installedVariant() === undefined || !existsSync(SOURCE)) return true;
  const { object, note } = places(compiler);
  return existsSync(object) || existsSync(note);
}

/** Lists what would be done, as lines of text. */
export function planMpi() {
  if (!existsSync(SOURCE)) return [];
  const compiler = mpiCompiler();
  if (compiler === undefined) return [missing()];
  return [`compile the addon for training over MPI with ${compiler}, or take it from the cache`];
}

/** Why there is no training over MPI, for the end of a set-up; undefined where there is. */
export function mpiNote() {
  if (!existsSync(SOURCE) || installedVariant() === undefined) return undefined;
  const built = readdirSync(dirname(bindingFile)).some((name) => name.startsWith(PREFIX) && name.endsWith('.node'));
  return built || mpiCompiler() !== undefined ? undefined : missing();
}

/** Clears the record of an earlier failure. */
export async function retryMpi() {
  const compiler = mpiCompiler();
  if (compiler !== undefined && installedVariant() !== undefined && existsSync(SOURCE))
    await rm(places(compiler).note, { force: true });
}

/** Compiles and installs it. A failure prints one line. */
export async function installMpi() {
  const compiler = mpiCompiler();
  const { object, note, cached } = places(compiler);
  const reason = (await usable(cached)) ? undefined : await compile(compiler, cached);
  const dir = dirname(object);
  const old = readdirSync(dir).filter((name) => name.startsWith(PREFIX));
  await Promise.all(old.map((name) => rm(join(dir, name), { force: true })));
  if (reason === undefined) {
    await copyFile(cached, `${object}.new`);
    await rename(`${object}.new`, object);
  } else {
    say(`training over MPI: ${reason}; training runs in one process`);
    await writeFile(note, reason);
  }
}

function missing() {
  return process.env.SONOGROUND_MPICC
    ? `training over MPI: SONOGROUND_MPICC names ${process.env.SONOGROUND_MPICC}, which is not a program`
    : 'training over MPI: no mpicc was found, part of Open MPI (libopenmpi-dev) and MPICH (libmpich-dev); training runs in one process';
}

/** The path of MPI's compiler: `SONOGROUND_MPICC`, otherwise `mpicc` on the path. */
function mpiCompiler() {
  const named = process.env.SONOGROUND_MPICC;
  if (named) return isProgram(named) ? named : undefined;
  if (process.platform === 'win32') return undefined;
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, 'mpicc')).find(isProgram);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The compiler's target distinguishes the MPIs that `mpicc` may be a link to. */
function places(compiler) {
  const real = realpathSync(compiler);
  const hash = createHash('sha256').update([...FLAGS, ...LINK, compiler, real, statSync(real).size].join(' '));
  const name = `${PREFIX}${hash.update(readFileSync(SOURCE)).digest('hex').slice(0, 16)}`;
  const beside = join(dirname(bindingFile), name);
  return { object: `${beside}.node`, note: `${beside}.failed`, cached: join(cacheDir, 'native-ops', `${basename(beside)}.node`) };
}

/** @returns undefined, or a clause with the reason of the failure. */
async function compile(compiler, target) {
  say(`compiling the addon for training over MPI with ${compiler}`);
  const fresh = `${target}.new`;
  await mkdir(dirname(target), { recursive: true });
  await rm(fresh, { force: true });
  const headers = `-I${join(modulesDir, 'node-api-headers', 'include')}`;
  const { code, stderr } = await runTool(compiler, [...FLAGS, headers, SOURCE, '-o', fresh, ...LINK], { cwd: root });
  if (code !== 0) {
    await rm(fresh, { force: true });
    return `the addon did not compile (${complaint(stderr)})`;
  }
  await rename(fresh, target);
  return undefined;
}
