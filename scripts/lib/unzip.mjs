/** Unpacks files of a zip (a Python wheel is one), streaming, without Python. Zip64 is understood. */

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join, normalize, sep } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import { SetupError } from './say.mjs';

const END = 0x06054b50;
const END64_LOCATOR = 0x07064b50;
const ENTRY = 0x02014b50;
const STORED = 0;
const DEFLATED = 8;
const MAX32 = 0xffffffff;

/**
 * Unpacks the entries that `place` gives a path for, below `target`.
 *
 * @param place - (name) => relative path, or undefined to leave an entry out.
 * @param hashOf - (name) => expected SHA-256 in base64url, or undefined.
 */
export async function unzip(file, target, place, hashOf = () => undefined) {
  const handle = await open(file, 'r');
  try {
    for (const entry of await readEntries(handle, file)) {
      const path = place(entry.name);
      if (path === undefined || entry.name.endsWith('/')) continue;
      await extract(handle, entry, inside(target, path, file), hashOf(entry.name), file);
    }
  } finally {
    await handle.close();
  }
}

/** The content of one small entry as text. */
export async function readEntry(file, wanted) {
  const handle = await open(file, 'r');
  try {
    const entry = (await readEntries(handle, file)).find(({ name }) => wanted(name));
    if (entry === undefined) return undefined;
    const chunks = [];
    for await (const chunk of await contentOf(handle, file, entry)) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  } finally {
    await handle.close();
  }
}

async function readEntries(handle, file) {
  const { size } = await handle.stat();
  const tail = await readAt(handle, Math.max(0, size - 65_557), Math.min(size, 65_557));
  const at = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (at < 0 || tail.readUInt32LE(at) !== END)
    throw new SetupError(`${file} is not a complete zip file: delete it and run the set-up again`);
  let count = tail.readUInt16LE(at + 10);
  let length = tail.readUInt32LE(at + 12);
  let offset = tail.readUInt32LE(at + 16);
  const locator = at - 20;
  if (locator >= 0 && tail.readUInt32LE(locator) === END64_LOCATOR) {
    const end64 = await readAt(handle, Number(tail.readBigUInt64LE(locator + 8)), 56);
    count = Number(end64.readBigUInt64LE(32));
    length = Number(end64.readBigUInt64LE(40));
    offset = Number(end64.readBigUInt64LE(48));
  }
  const directory = await readAt(handle, offset, length);
  const entries = [];
  for (let p = 0; entries.length < count; ) {
    if (directory.readUInt32LE(p) !== ENTRY)
      throw new SetupError(`${file} has a damaged directory: delete it and run the set-up again`);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) => directory.readUInt16LE(p + field));
    const name = directory.toString('utf8', p + 46, p + 46 + nameLength);
    const extra = directory.subarray(p + 46 + nameLength, p + 46 + nameLength + extraLength);
    const sizes = [24, 20, 42].map((field) => directory.readUInt32LE(p + field));
    const [full, packed, start] = widen(sizes, extra);
    entries.push({ name, method: directory.readUInt16LE(p + 10), packed, full, start });
    p += 46 + nameLength + extraLength + commentLength;
  }
  return entries;
}

/** Replaces numbers that did not fit 32 bits by those of the zip64 field. */
function widen(sizes, extra) {
  for (let p = 0; p + 4 <= extra.length; p += 4 + extra.readUInt16LE(p + 2)) {
    if (extra.readUInt16LE(p) !== 1) continue;
    let q = p + 4;
    return sizes.map((size) => {
      if (size !== MAX32) return size;
      q += 8;
      return Number(extra.readBigUInt64LE(q - 8));
    });
  }
  return sizes;
}

async function extract(handle, entry, path, expected, file) {
  await mkdir(dirname(path), { recursive: true });
  const hash = createHash('sha256');
  const listen = new Transform({
    transform(chunk, _encoding, next) {
      hash.update(chunk);
      next(null, chunk);
    },
  });
  await pipeline(await contentOf(handle, file, entry), listen, createWriteStream(path));
  if (expected !== undefined && hash.digest('base64url') !== expected)
    throw new SetupError(
      `${file}: ${entry.name} does not have the checksum that the wheel states: delete it and run the set-up again`,
    );
}

async function contentOf(handle, file, { name, method, packed, start }) {
  const local = await readAt(handle, start, 30);
  const from = start + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  const raw =
    packed === 0 ? emptyStream() : createReadStream(file, { start: from, end: from + packed - 1, highWaterMark: 1 << 20 });
  if (method === STORED) return raw;
  if (method === DEFLATED) return raw.pipe(createInflateRaw());
  throw new SetupError(`${name} is packed in a way that is not understood (method ${method})`);
}

async function* emptyStream() {}

async function readAt(handle, position, length) {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** A path below `target`; a name that leads out of it is refused. */
function inside(target, path, file) {
  const full = normalize(join(target, path));
  if (full.startsWith(normalize(target) + sep)) return full;
  throw new SetupError(`${file} holds a name that leads out of its folder: ${path}`);
}
