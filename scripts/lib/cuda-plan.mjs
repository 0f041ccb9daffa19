/** What `--cuda` would download, as the package index tells it: names, sizes and checksums. */
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { choose } from './fetch-wheel.mjs';
import { cacheDir } from './places.mjs';
import { cudaRequirements, cudaWheel, PYPI, TENSORFLOW_VERSION } from './wheels.mjs';

/** How long the index may take to answer a plan. */
const PATIENCE_MS = 10_000;

/** Libraries unpacked, beside the wheels that they come from: more than twice the wheels. */
const UNPACKED = 2.5;

/** The downloads as lines, with what they need of the disk. Where the index cannot be asked, a line says so. */
export async function planCudaDownloads() {
  try {
    const wheels = [cudaWheel, ...cudaRequirements(await requirementsOfTensorflow())];
    const files = await Promise.all(wheels.map((wheel) => choose(wheel)));
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    return [
      ...files.map(({ filename, size, digests }) => `download ${filename}, ${megabytes(size)}, SHA-256 ${digests.sha256}`),
      `in all ${megabytes(bytes)} to download; ${megabytes(bytes * (1 + UNPACKED))} of disk while unpacking (estimated), ${await freeSpace()}`,
    ];
  } catch (error) {
    const reason = error.name === 'TimeoutError' ? 'no answer' : (error.cause?.code ?? error.message);
    return [
      `sizes and checksums are not known now: the package index could not be asked (${reason})`,
      `about 9 GB of disk are needed while unpacking (estimated), ${await freeSpace()}`,
    ];
  }
}

/** The lines of the wheel's metadata that name what it requires. */
async function requirementsOfTensorflow() {
  const response = await fetch(`${PYPI}/tensorflow/${TENSORFLOW_VERSION}/json`, { signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!response.ok) throw new Error(`it answered ${response.status}`);
  const { info } = await response.json();
  return (info.requires_dist ?? []).map((line) => `Requires-Dist: ${line}`).join('\n');
}

async function freeSpace() {
  let dir = cacheDir;
  while (!existsSync(dir)) dir = dirname(dir);
  const { bavail, bsize } = await statfs(dir);
  return `${megabytes(bavail * bsize)} are free at ${dir}`;
}

function megabytes(bytes) {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
}
