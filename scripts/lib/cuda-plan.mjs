/** The pinned downloads of `--cuda`: names, sizes and hashes. */
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { cacheDir } from './places.mjs';
import { WHEELS } from './wheels.mjs';

/** Size of the unpacked libraries relative to the wheels, which exist beside them while unpacking. */
const UNPACKED = 2.5;

/** Lists the downloads and the required disk space, as lines of text. */
export async function planCudaDownloads() {
  const bytes = WHEELS.cuda.reduce((sum, wheel) => sum + wheel.bytes, 0);
  return [
    ...WHEELS.cuda.map((wheel) => `download ${wheel.file}, ${megabytes(wheel.bytes)}, SHA-256 ${wheel.sha256}`),
    `in all ${megabytes(bytes)} to download; ${megabytes(bytes * (1 + UNPACKED))} of disk while unpacking (estimated), ${await freeSpace()}`,
  ];
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
