/** Downloads a wheel: with pip, which uses the user's own settings, or from PyPI over HTTPS. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { downloadProgress, isDiskProblem, say } from './say.mjs';
import { complaint, runTool, starts } from './tool.mjs';
import { PYPI, TAGS } from './wheels.mjs';

const PIPS = [['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['pip3'], ['pip']];

/** Timeout for PyPI's responses, and for a download without progress. */
const SILENCE_MS = 30_000;
/** Number of attempts at an interrupted download. */
const ATTEMPTS = 4;

/**
 * @param wheel - { project, version, file, bytes, sha256 }, see `wheels.mjs`.
 * @param dir - a folder for this wheel alone. A .whl file in it is complete.
 * @returns the path of the verified file, or undefined if it is not available.
 */
export async function fetchWheel(wheel, dir) {
  await mkdir(dir, { recursive: true });
  const present = await wheelIn(dir);
  if (present !== undefined && (await intact(present, wheel.sha256))) return present;
  for (const way of [fromPip, fromPypi]) {
    const found = await way(wheel, dir);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function wheelIn(dir) {
  const [name] = (await readdir(dir).catch(() => [])).filter((entry) => entry.endsWith('.whl'));
  return name === undefined ? undefined : join(dir, name);
}

/** Whether a file has the expected hash. Deletes it otherwise. */
async function intact(path, sha256) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  if (hash.digest('hex') === sha256) return true;
  await rm(path, { force: true });
  return false;
}

async function fromPip({ project, version, bytes, sha256 }, dir) {
  const pip = PIPS.find(([command, ...before]) => starts(command, [...before, '--version']));
  const give = (reason) => {
    say(`pip: ${reason}; trying PyPI over HTTPS for ${project}`);
    return undefined;
  };
  if (pip === undefined) return give('not found');
  const fresh = join(dir, 'pip');
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true });
  // pip itself verifies the hash before using the file.
  const requirements = join(fresh, 'requirements.txt');
  await writeFile(requirements, `${project}==${version} --hash=sha256:${sha256}\n`);
  const progress = downloadProgress(`${project}==${version} through pip`, bytes);
  const watch = setInterval(async () => progress.update(await largestIn(fresh)), 500);
  const [command, ...before] = pip;
  const args = ['download', '--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '--quiet', '--retries', '1'];
  const pinned = ['--require-hashes', '--dest', fresh, '-r', requirements];
  const { code, stderr } = await runTool(command, [...before, ...args, ...TAGS, ...pinned], {
    env: { ...process.env, TMPDIR: fresh },
  });
  clearInterval(watch);
  try {
    const file = code === 0 ? await wheelIn(fresh) : undefined;
    if (file === undefined) {
      progress.stop();
      return give(`could not bring ${project}==${version} (${complaint(stderr)})`);
    }
    progress.done();
    if (!(await intact(file, sha256))) return give(`the checksum of ${project} is wrong, its file was thrown away`);
    const target = join(dir, file.slice(fresh.length + 1));
    await rename(file, target);
    return target;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** Size of the largest file below a folder: the one being written. */
async function largestIn(dir) {
  const names = await readdir(dir, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(dir, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return Math.max(0, ...sizes);
}

/** Resumes a partial download. */
async function fromPypi(wheel, dir) {
  try {
    const entry = await choose(wheel);
    const partial = join(dir, `${entry.filename}.partial`);
    const progress = downloadProgress(`${entry.filename} from PyPI`, entry.size);
    for (let attempt = 1; ; attempt++) {
      try {
        await download(entry, partial, progress);
        break;
      } catch (error) {
        if (isDiskProblem(error) || attempt === ATTEMPTS) throw error;
        say(`${entry.filename}: the connection broke (${reasonOf(error)}); going on`);
        await sleep(500 * attempt);
      }
    }
    progress.done();
    if (!(await intact(partial, wheel.sha256))) throw new Error('the checksum is wrong, the file was thrown away');
    await rename(partial, join(dir, entry.filename));
    return join(dir, entry.filename);
  } catch (error) {
    if (isDiskProblem(error)) throw error;
    say(`PyPI over HTTPS: could not bring ${wheel.project} (${reasonOf(error)})`);
    return undefined;
  }
}

function reasonOf(error) {
  return error.name === 'TimeoutError' ? 'no answer' : (error.cause?.code ?? error.message);
}

/** PyPI's entry for the pinned file. */
async function choose({ project, version, file, bytes }) {
  const response = await fetch(`${PYPI}/${project}/${version}/json`, { signal: AbortSignal.timeout(SILENCE_MS) });
  if (!response.ok) throw new Error(`it answered ${response.status}`);
  const { urls } = await response.json();
  const found = urls.find(({ filename }) => filename === file);
  if (found === undefined) throw new Error(`it has no file ${file}`);
  if (found.size !== bytes) throw new Error(`${file} has ${found.size} bytes there, ${bytes} are pinned`);
  return found;
}

async function download({ url, size }, partial, progress) {
  const have = (await stat(partial).catch(() => ({ size: 0 }))).size;
  if (have === size) return;
  if (have > size) await rm(partial, { force: true });
  const resume = have > 0 && have < size;
  const silence = new AbortController();
  let timer;
  const listen = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(new DOMException('no answer', 'TimeoutError')), SILENCE_MS);
  };
  try {
    listen();
    const response = await fetch(url, { headers: resume ? { range: `bytes=${have}-` } : {}, signal: silence.signal });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    const resumed = response.status === 206;
    let bytes = resumed ? have : 0;
    const counted = Readable.fromWeb(response.body).map((chunk) => {
      listen();
      bytes += chunk.length;
      progress.update(bytes);
      return chunk;
    });
    await pipeline(counted, createWriteStream(partial, { flags: resumed ? 'a' : 'w' }));
    if (bytes !== size) throw new Error(`${bytes} bytes of ${size} came`);
  } finally {
    clearTimeout(timer);
  }
}
