/**
 * Streams files out of a zip (such as a Python wheel), without Python. yauzl is only loaded here: the set-up also starts before
 * any npm package is installed, and installs them before it unpacks anything.
 */

import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, normalize, sep } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import { isDiskProblem, SetupError } from './say.mjs';

/** Bytes that are inflated and written at once. */
const CHUNK = 2 ** 20;

/** The method of compression in wheels. */
const DEFLATE = 8;

/**
 * Unpacks the entries to which `place` assigns a path below `target`.
 *
 * @param place - (name) => relative path, or undefined to skip an entry.
 * @param hashOf - (name) => expected SHA-256 in base64url, or undefined.
 */
export async function unzip(file, target, place, hashOf = () => undefined) {
  await withZip(file, async (zip) => {
    for await (const entry of zip.eachEntry()) {
      const path = place(entry.fileName);
      if (path === undefined || entry.fileName.endsWith('/')) continue;
      await extract(zip, entry, inside(target, path, file), hashOf(entry.fileName), file);
    }
  });
}

/** The content of one small entry as text. */
export async function readEntry(file, wanted) {
  return withZip(file, async (zip) => {
    for await (const entry of zip.eachEntry()) {
      if (!wanted(entry.fileName)) continue;
      const chunks = await (await zip.openReadStreamPromise(entry)).toArray();
      return Buffer.concat(chunks).toString('utf8');
    }
    return undefined;
  });
}

async function withZip(file, use) {
  const { openPromise } = await import('yauzl');
  let zip;
  try {
    zip = await openPromise(file, { lazyEntries: true, autoClose: false });
    return await use(zip);
  } catch (cause) {
    if (cause instanceof SetupError || isDiskProblem(cause)) throw cause;
    const what = zip === undefined ? 'is not a complete zip file' : 'is damaged';
    throw new SetupError(`${file} ${what} (${cause.message}): delete it and run the set-up again`);
  } finally {
    zip?.close();
  }
}

async function extract(zip, entry, path, expected, file) {
  await mkdir(dirname(path), { recursive: true });
  const hash = createHash('sha256');
  let length = 0;
  const listen = new Transform({
    transform(chunk, _encoding, next) {
      hash.update(chunk);
      length += chunk.length;
      next(null, chunk);
    },
  });
  await pipeline(await contentOf(zip, entry), listen, createWriteStream(path, { highWaterMark: CHUNK }));
  if (length !== entry.uncompressedSize)
    throw new Error(`${entry.fileName} has ${length} bytes instead of ${entry.uncompressedSize}`);
  if (expected !== undefined && hash.digest('base64url') !== expected)
    throw new SetupError(
      `${file}: ${entry.fileName} does not have the checksum that the wheel states: delete it and run the set-up again`,
    );
}

/** yauzl would inflate in steps of 16 KB, each through a thread: a library of a gigabyte takes tens of thousands. */
async function contentOf(zip, entry) {
  if (entry.compressionMethod !== DEFLATE || entry.isEncrypted()) return zip.openReadStreamPromise(entry);
  const packed = await zip.openReadStreamPromise(entry, { decodeFileData: false });
  const inflate = createInflateRaw({ chunkSize: CHUNK });
  packed.on('error', (error) => inflate.destroy(error));
  return packed.pipe(inflate);
}

/** A path below `target`; rejects names that lead out of it. */
function inside(target, path, file) {
  const full = normalize(join(target, path));
  if (full.startsWith(normalize(target) + sep)) return full;
  throw new SetupError(`${file} holds a name that leads out of its folder: ${path}`);
}
