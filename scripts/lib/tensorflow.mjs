/** Installs a current TensorFlow for tfjs-node-gpu: libraries and headers from the PyPI wheel, the binding compiled here. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { copyFile, mkdir, rename, rm, rmdir, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fetchWheel } from './fetch-wheel.mjs';
import { bindingDeps, bindingFile, bindingPackage, cacheDir, modulesDir } from './places.mjs';
import { say } from './say.mjs';
import { complaint, runTool, starts } from './tool.mjs';
import { discard, firstDistrusted, usable } from './trust.mjs';
import { readEntry, unzip } from './unzip.mjs';
import { TENSORFLOW_VERSION, unmet, WHEELS } from './wheels.mjs';

const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
const LINKS = {
  'libtensorflow.so': LIBRARIES[0],
  'libtensorflow.so.2': LIBRARIES[0],
  'libtensorflow_framework.so': LIBRARIES[1],
};
const SOURCES = ['binding/tfjs_backend.cc', 'binding/tfjs_binding.cc'];
const COMPILERS = ['g++', 'c++', 'clang++'];

/** Whether the wheel exists for this machine. */
export const supported = process.platform === 'linux' && process.arch === 'x64';

/** Cache folder of a variant's libraries and headers. */
function variantDir(variant) {
  return join(cacheDir, `tensorflow-${TENSORFLOW_VERSION}-${variant}`);
}

/** The installed variant of this TensorFlow, `own` for a manual installation; undefined if there is none. */
export function installedVariant() {
  if (!existsSync(bindingFile) || !LIBRARIES.every((name) => existsSync(join(bindingDeps, 'lib', name)))) return undefined;
  const target = linkTarget(bindingDeps);
  if (target === undefined) return 'own';
  return Object.keys(WHEELS).find((variant) => basename(target) === basename(variantDir(variant)));
}

/** The loaded files of a variant's folder, and their parent folders. */
function executedFrom(dir) {
  return [dir, join(dir, 'lib'), ...LIBRARIES.map((name) => join(dir, 'lib', name))];
}

/** The files in the cache that this clone executes. */
export function executedFromCache() {
  const target = linkTarget(bindingDeps);
  return target?.startsWith(cacheDir) ? executedFrom(target) : [];
}

/** Lists what would be done, as lines of text. */
export function plan(variant) {
  if (!supported) return [`there is no TensorFlow ${TENSORFLOW_VERSION} wheel for ${process.platform} ${process.arch}`];
  const [wheel] = WHEELS[variant];
  const dir = variantDir(variant);
  return [
    ...(existsSync(dir)
      ? [`${dir} is in the cache`]
      : [
          `download ${wheel.project}==${wheel.version}, ${Math.round(wheel.bytes / 1e6)} MB, through pip, else from PyPI`,
          `check its SHA-256 ${wheel.sha256}`,
          ...(variant === 'cuda' ? ['download the NVIDIA libraries that it needs, several GB, likewise'] : []),
          `unpack libraries and headers to ${dir}, ${variant === 'cuda' ? 'about 6 GB' : '1.0 GB'}`,
        ]),
    ...(existsSync(bindingCopy(variant))
      ? ['the compiled binding is in the cache']
      : [compiler() === undefined ? 'no C++ compiler (g++) was found' : `compile the binding with ${compiler()}`]),
    `link it from ${bindingPackage}`,
  ];
}

/**
 * Installs TensorFlow in the cache and for the package. Each step ends with a rename, so that an interrupted set-up resumes where
 * it stopped.
 *
 * @returns undefined, or a clause with the reason why it is not available.
 */
export async function installTensorflow(variant) {
  if (!supported) return `there is no TensorFlow ${TENSORFLOW_VERSION} wheel for ${process.platform} ${process.arch}`;
  // Checked before any large download.
  if (!existsSync(bindingCopy(variant)) && compiler() === undefined) return 'there is no C++ compiler (g++)';
  const dir = variantDir(variant);
  const bad = firstDistrusted(executedFrom(dir));
  if (bad !== undefined) await discard(dir, bad);
  if (!existsSync(dir)) {
    const reason = await unpack(variant, dir);
    if (reason !== undefined) return reason;
  }
  const compiled = await compile(dir, variant);
  if (compiled !== undefined) return compiled;
  await put(dir, variant);
  return undefined;
}

async function unpack(variant, dir) {
  const downloads = join(cacheDir, 'downloads');
  const wheels = [];
  for (const wheel of WHEELS[variant]) {
    const file = await fetchWheel(wheel, join(downloads, wheel.project));
    if (file === undefined) return `${wheel.project}==${wheel.version} could not be downloaded`;
    wheels.push(file);
  }
  if (variant === 'cuda') {
    const metadata = (await readEntry(wheels[0], (name) => name.endsWith('.dist-info/METADATA'))) ?? '';
    const lacking = unmet(metadata, WHEELS[variant]);
    if (lacking !== undefined) return lacking;
  }
  const fresh = `${dir}.new`;
  await rm(fresh, { recursive: true, force: true });
  for (const file of wheels) {
    say(`unpacking ${basename(file)}`);
    await unzip(file, fresh, placeOf, await recordOf(file));
  }
  const missing = LIBRARIES.find((name) => !existsSync(join(fresh, 'lib', name)));
  if (missing !== undefined) return `the wheel holds no ${missing}`;
  for (const [name, target] of Object.entries(LINKS)) await symlink(target, join(fresh, 'lib', name));
  await rename(fresh, dir);
  // Their needed files are unpacked; the wheels can be downloaded again.
  for (const file of wheels) await rm(dirname(file), { recursive: true, force: true });
  await rmdir(downloads).catch(() => {}); // not empty
  return undefined;
}

/**
 * Target path of a wheel's file: TensorFlow's libraries and headers, and NVIDIA's libraries where TensorFlow's run path expects
 * them, in `nvidia/<part>/lib` beside `lib`.
 */
function placeOf(name) {
  if (LIBRARIES.some((library) => name === `tensorflow/${library}`)) return name.replace('tensorflow/', 'lib/');
  if (name.startsWith('tensorflow/include/')) return name.replace('tensorflow/', '');
  if (name.startsWith('nvidia/') && !/^nvidia\/[^/]+\/include\//.test(name)) return name;
  return undefined;
}

/** The hashes in a wheel's own record. */
async function recordOf(file) {
  const text = (await readEntry(file, (name) => name.endsWith('.dist-info/RECORD'))) ?? '';
  const hashes = new Map(
    text.split('\n').flatMap((line) => {
      const [, name, hash] = /^"?(.+?)"?,sha256=([\w-]+),/.exec(line) ?? [];
      return name === undefined ? [] : [[name, hash]];
    }),
  );
  return (name) => hashes.get(name);
}

/** Cache path of the binding for a variant and these sources. */
function bindingCopy(variant) {
  const hash = createHash('sha256').update(`${TENSORFLOW_VERSION} ${variant}`);
  for (const source of SOURCES) {
    const path = join(bindingPackage, source);
    hash.update(existsSync(path) ? readFileSync(path) : '');
  }
  return join(cacheDir, 'bindings', `${hash.digest('hex').slice(0, 16)}.node`);
}

/** The C++ compiler; undefined if there is none. */
export function compiler() {
  return COMPILERS.find((command) => starts(command));
}

async function compile(dir, variant) {
  const cached = bindingCopy(variant);
  if (await usable(cached)) return undefined;
  say(`compiling the TensorFlow binding with ${compiler()}, about 10 s`);
  const fresh = `${cached}.new`;
  await mkdir(dirname(cached), { recursive: true });
  await rm(fresh, { force: true });
  const flags = ['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8'];
  const headers = [join(modulesDir, 'node-api-headers', 'include'), '..', '.', join(dir, 'include')].map((path) => `-I${path}`);
  const libraries = [`-L${join(dir, 'lib')}`, '-ltensorflow', '-ltensorflow_framework', '-Wl,-rpath,$ORIGIN/../../deps/lib'];
  const { code, stderr } = await runTool(compiler(), [...flags, ...headers, ...SOURCES, '-o', fresh, ...libraries], {
    cwd: bindingPackage,
  });
  if (code !== 0) {
    await rm(fresh, { force: true });
    return `the binding did not compile (${complaint(stderr)})`;
  }
  await rename(fresh, cached);
  return undefined;
}

/** Links the package to the cache. The binding comes last: the installation is incomplete without it. */
async function put(dir, variant) {
  await rm(bindingFile, { force: true });
  if (linkTarget(bindingDeps) !== dir) {
    await rm(bindingDeps, { recursive: true, force: true });
    await symlink(dir, bindingDeps, 'dir');
  }
  await mkdir(dirname(bindingFile), { recursive: true });
  const beside = `${bindingFile}.new`;
  await copyFile(bindingCopy(variant), beside);
  await rename(beside, bindingFile);
}

/** Records a variant for clones that have none yet. */
export async function rememberVariant(variant) {
  await mkdir(cacheDir, { recursive: true });
  await writeFile(join(cacheDir, 'variant'), `${variant}\n`);
}

/** The variant that this clone has; without one, that last requested by name in any clone, and by default the CPU's. */
export function wantedVariant() {
  const installed = installedVariant();
  if (installed !== undefined) return installed === 'own' ? 'cpu' : installed;
  const file = join(cacheDir, 'variant');
  const wanted = existsSync(file) ? readFileSync(file, 'utf8').trim() : 'cpu';
  return wanted in WHEELS ? wanted : 'cpu';
}

function linkTarget(path) {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
