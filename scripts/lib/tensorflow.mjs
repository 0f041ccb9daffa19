/** Puts a current TensorFlow under tfjs-node-gpu: libraries and headers from the PyPI wheel, the binding compiled here. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fetchWheel } from './fetch-wheel.mjs';
import { bindingDeps, bindingFile, bindingPackage, cacheDir, root } from './places.mjs';
import { say } from './say.mjs';
import { readEntry, unzip } from './unzip.mjs';
import { cpuWheel, cudaRequirements, cudaWheel, nvidiaTags, TENSORFLOW_VERSION } from './wheels.mjs';

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

/** Where a variant's libraries and headers lie in the cache. */
export function variantDir(variant) {
  return join(cacheDir, `tensorflow-${TENSORFLOW_VERSION}-${variant}`);
}

/** What would be done, as lines. */
export function plan(variant) {
  const wheel = variant === 'cuda' ? cudaWheel : cpuWheel;
  const lines = [
    `wheel ${wheel.file} (about ${Math.round(wheel.bytes / 1e6)} MB), SHA-256 ${wheel.sha256 ?? "as the wheel's own record states"}`,
    ...(variant === 'cuda' ? ['the nvidia-*-cu12 wheels that its metadata names (extra and-cuda), several GB'] : []),
    `libraries and headers to ${variantDir(variant)} (about ${variant === 'cuda' ? '6' : '1.2'} GB)`,
    `binding compiled with ${COMPILERS.find(found) ?? 'a C++ compiler, of which none is found'}`,
    `links in ${bindingPackage}`,
  ];
  return lines;
}

/**
 * Brings TensorFlow into the cache and under the package. Each step ends with a rename, so that a killed set-up goes on
 * where it stopped.
 *
 * @returns undefined, or the reason in a clause why it cannot be had.
 */
export async function installTensorflow(variant) {
  if (!supported) return `there is no TensorFlow ${TENSORFLOW_VERSION} wheel for ${process.platform} ${process.arch}`;
  const dir = variantDir(variant);
  if (!existsSync(join(dir, 'complete'))) {
    const reason = await unpack(variant, dir);
    if (reason !== undefined) return reason;
  }
  await link(dir);
  return compile(dir, variant);
}

async function unpack(variant, dir) {
  const wheel = variant === 'cuda' ? cudaWheel : cpuWheel;
  const file = await fetchWheel(wheel, join(cacheDir, 'wheels'));
  if (file === undefined) return `${wheel.project} ${wheel.version} could not be downloaded`;
  say(`unpacking ${wheel.project} ${wheel.version}`);
  const fresh = `${dir}.new`;
  await rm(fresh, { recursive: true, force: true });
  const record = await recordOf(file);
  await unzip(
    file,
    fresh,
    (name) =>
      LIBRARIES.some((library) => name === `tensorflow/${library}`)
        ? name.replace('tensorflow/', 'lib/')
        : name.startsWith('tensorflow/include/')
          ? name.replace('tensorflow/', '')
          : undefined,
    record,
  );
  for (const [name, target] of Object.entries(LINKS)) await symlink(target, join(fresh, 'lib', name));
  if (variant === 'cuda') {
    const reason = await unpackNvidia(file, fresh);
    if (reason !== undefined) return reason;
  }
  await writeFile(join(fresh, 'complete'), `${wheel.file}\n`);
  await rm(dir, { recursive: true, force: true });
  await rename(fresh, dir);
  // What was needed of it is unpacked; it can be had again.
  await rm(file, { force: true });
  return undefined;
}

/** NVIDIA's libraries, side by side as TensorFlow's own run path expects them: `nvidia/<part>/lib` beside `lib`. */
async function unpackNvidia(tensorflowWheel, target) {
  const metadata = await readEntry(tensorflowWheel, (name) => name.endsWith('.dist-info/METADATA'));
  for (const { name, version, least } of cudaRequirements(metadata ?? '')) {
    const dir = join(cacheDir, 'wheels', name);
    await mkdir(dir, { recursive: true });
    const result = spawnSync(
      'python3',
      [
        '-m',
        'pip',
        'download',
        '--no-deps',
        '--only-binary=:all:',
        '--disable-pip-version-check',
        '--quiet',
        ...nvidiaTags,
        '--dest',
        dir,
        version ? `${name}==${version}` : `${name}>=${least}`,
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const [file] = (await readdir(dir)).filter((entry) => entry.endsWith('.whl'));
    if (result.status !== 0 || file === undefined) return `${name} could not be downloaded`;
    say(`unpacking ${file}`);
    const path = join(dir, file);
    await unzip(path, target, (entry) => (entry.startsWith('nvidia/') ? entry : undefined), await recordOf(path));
    await rm(dir, { recursive: true, force: true });
  }
  return undefined;
}

/** The checksums that a wheel states for its files. */
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

/** Makes the package's `deps` lead to the cache. */
async function link(dir) {
  if (
    lstatSync(bindingDeps, { throwIfNoEntry: false })?.isSymbolicLink() &&
    existsSync(join(bindingDeps, 'complete')) &&
    readFileSync(join(bindingDeps, 'complete'), 'utf8') === readFileSync(join(dir, 'complete'), 'utf8')
  )
    return;
  await rm(bindingDeps, { recursive: true, force: true });
  await symlink(dir, bindingDeps, 'dir');
}

async function compile(dir, variant) {
  const headers = join(root, 'node_modules', 'node-api-headers', 'include');
  const hash = createHash('sha256').update(`${TENSORFLOW_VERSION} ${variant}`);
  for (const source of SOURCES) hash.update(readFileSync(join(bindingPackage, source)));
  const cached = join(cacheDir, 'bindings', `${hash.digest('hex').slice(0, 16)}.node`);
  if (!existsSync(cached)) {
    const compiler = COMPILERS.find(found);
    if (compiler === undefined) return 'there is no C++ compiler (g++)';
    say(`compiling the TensorFlow binding with ${compiler}`);
    await mkdir(dirname(cached), { recursive: true });
    const fresh = `${cached}.${process.pid}.new`;
    const args = [
      '-std=c++17',
      '-O2',
      '-fPIC',
      '-shared',
      '-DNAPI_VERSION=8',
      `-I${headers}`,
      '-I..',
      '-I.',
      `-I${join(dir, 'include')}`,
      ...SOURCES,
      '-o',
      fresh,
      `-L${join(dir, 'lib')}`,
      '-ltensorflow',
      '-ltensorflow_framework',
      '-Wl,-rpath,$ORIGIN/../../deps/lib',
    ];
    const result = spawnSync(compiler, args, { cwd: bindingPackage, encoding: 'utf8' });
    if (result.status !== 0) {
      await rm(fresh, { force: true });
      return `the binding did not compile: ${(result.stderr ?? '').split('\n').find((line) => line.includes('error')) ?? `exit code ${result.status}`}`;
    }
    await rename(fresh, cached);
  }
  await mkdir(dirname(bindingFile), { recursive: true });
  const beside = `${bindingFile}.${process.pid}.new`;
  await copyFile(cached, beside);
  await rename(beside, bindingFile);
  return undefined;
}

function found(compiler) {
  return spawnSync(compiler, ['--version'], { stdio: 'ignore' }).status === 0;
}
