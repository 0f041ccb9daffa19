/** Brings a wheel into the cache: through pip, which knows the user's own settings, or from PyPI over HTTPS. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { downloadProgress, say } from './say.mjs';

/** How long the fallback waits for PyPI to answer at all. */
const CONNECT_TIMEOUT_MS = 30_000;

/**
 * @param wheel - { project, version, file, bytes, sha256, tags }
 * @returns the path of the verified file, or undefined when it could not be had.
 */
export async function fetchWheel(wheel, dir) {
  await mkdir(dir, { recursive: true });
  const target = join(dir, wheel.file);
  if (await verified(target, wheel)) return target;
  for (const way of [fromPip, fromPypi]) {
    const found = await way(wheel, dir);
    if (found === undefined) continue;
    if (await verified(found, wheel)) {
      if (found !== target) await rename(found, target);
      return target;
    }
    say(`${wheel.file}: the checksum is wrong; the download is thrown away`);
    await rm(found, { force: true });
  }
  return undefined;
}

async function verified(path, { sha256 }) {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return false;
  if (sha256 === undefined) return true;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex') === sha256;
}

async function fromPip({ project, version, file, bytes, tags }, dir) {
  const partial = join(dir, 'pip');
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  const progress = downloadProgress(`${project} ${version} through pip`, bytes);
  const watch = setInterval(async () => progress.update(await sizeOf(partial)), 500);
  try {
    for (const [command, ...before] of [['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['pip3'], ['pip']]) {
      const args = [
        ...before,
        'download',
        '--no-deps',
        '--only-binary=:all:',
        '--disable-pip-version-check',
        '--quiet',
        '--retries',
        '2',
        '--progress-bar',
        'off',
        ...tags,
        '--dest',
        partial,
        `${project}==${version}`,
      ];
      if ((await run(command, args, { TMPDIR: partial })) === 0) {
        progress.done();
        await rename(join(partial, file), join(dir, file));
        return join(dir, file);
      }
    }
  } catch {
    // pip answered, but not with this file: the next way is tried.
  } finally {
    clearInterval(watch);
    await rm(partial, { recursive: true, force: true });
  }
  say(`pip could not bring ${project} ${version}; trying PyPI over HTTPS`);
  return undefined;
}

/** Bytes below a folder. */
async function sizeOf(dir) {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        stat(join(entry.parentPath ?? entry.path, entry.name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  );
  return sizes.reduce((a, b) => a + b, 0);
}

function run(command, args, env) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore'], env: { ...process.env, ...env } });
    child.on('error', () => resolve(-1));
    child.on('exit', (code) => resolve(code ?? -1));
  });
}

/** A part that is there already is kept, and the rest is asked for. */
async function fromPypi({ project, version, file }, dir) {
  const partial = join(dir, `${file}.partial`);
  try {
    const listing = await fetch(`https://pypi.org/pypi/${project}/${version}/json`, {
      signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS),
    });
    if (!listing.ok) throw new Error(`PyPI answered ${listing.status}`);
    const entry = (await listing.json()).urls.find(({ filename }) => filename === file);
    if (entry === undefined) throw new Error(`PyPI has no ${file}`);
    const have = (await stat(partial).catch(() => ({ size: 0 }))).size;
    const response = await fetch(entry.url, { headers: have > 0 ? { range: `bytes=${have}-` } : {} });
    if (!response.ok) throw new Error(`PyPI answered ${response.status}`);
    const resumed = response.status === 206;
    const progress = downloadProgress(`${project} ${version} from PyPI`, entry.size);
    let bytes = resumed ? have : 0;
    const counted = Readable.fromWeb(response.body).map((chunk) => {
      bytes += chunk.length;
      progress.update(bytes);
      return chunk;
    });
    await pipeline(counted, createWriteStream(partial, { flags: resumed ? 'a' : 'w' }));
    progress.done();
    await rename(partial, join(dir, file));
    return join(dir, file);
  } catch (error) {
    say(`PyPI could not be reached over HTTPS (${error.cause?.code ?? error.message})`);
    return undefined;
  }
}
