import { createHash } from 'node:crypto';
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipEntry {
  readonly name: string;
  readonly data: Buffer;
  /** Default: packed. */
  readonly stored?: boolean;
}

const FULL = 0xffffffff;

/** Makes a zip file. With `zip64`, all sizes and places stand in the fields for large files. */
export function makeZip(entries: readonly ZipEntry[], { zip64 = false } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, stored = false } of entries) {
    const packed = stored ? data : deflateRawSync(data);
    const local = header(0x04034b50, 30, name, [
      [8, 2, stored ? 0 : 8],
      [14, 4, crc(data)],
      [18, 4, zip64 ? FULL : packed.length],
      [22, 4, zip64 ? FULL : data.length],
      [26, 2, name.length],
    ]);
    const extra = zip64 ? largeFields([data.length, packed.length, offset]) : Buffer.alloc(0);
    const central = header(0x02014b50, 46, name, [
      [10, 2, stored ? 0 : 8],
      [16, 4, crc(data)],
      [20, 4, zip64 ? FULL : packed.length],
      [24, 4, zip64 ? FULL : data.length],
      [28, 2, name.length],
      [30, 2, extra.length],
      [42, 4, zip64 ? FULL : offset],
    ]);
    parts.push(local, packed);
    directory.push(central, extra);
    offset += local.length + packed.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(zip64 ? 0xffff : entries.length, 10);
  end.writeUInt32LE(zip64 ? FULL : listing.length, 12);
  end.writeUInt32LE(zip64 ? FULL : offset, 16);
  const large = zip64 ? largeEnd(entries.length, listing.length, offset) : Buffer.alloc(0);
  return Buffer.concat([...parts, listing, large, end]);
}

/** A Python wheel: a zip with a list of its files' checksums. `spoiled` names a file whose listed checksum is wrong. */
export function makeWheel(name: string, files: readonly ZipEntry[], metadata = '', spoiled?: string): Buffer {
  const lines = files.map(({ name: file, data }) => {
    const hash = createHash('sha256')
      .update(file === spoiled ? 'other' : data)
      .digest('base64url');
    return `${file},sha256=${hash},${data.length}`;
  });
  return makeZip([
    ...files,
    { name: `${name}.dist-info/METADATA`, data: Buffer.from(metadata) },
    { name: `${name}.dist-info/RECORD`, data: Buffer.from(`${lines.join('\n')}\n`) },
  ]);
}

function header(signature: number, size: number, name: string, fields: readonly (readonly [number, number, number])[]): Buffer {
  const buffer = Buffer.alloc(size);
  buffer.writeUInt32LE(signature, 0);
  for (const [at, width, value] of fields) buffer.writeUIntLE(value, at, width);
  return Buffer.concat([buffer, Buffer.from(name)]);
}

function largeFields(values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(4 + 8 * values.length);
  buffer.writeUInt16LE(1, 0);
  buffer.writeUInt16LE(8 * values.length, 2);
  for (const [i, value] of values.entries()) buffer.writeBigUInt64LE(BigInt(value), 4 + 8 * i);
  return buffer;
}

function largeEnd(count: number, length: number, offset: number): Buffer {
  const end = Buffer.alloc(56);
  end.writeUInt32LE(0x06064b50, 0);
  for (const [at, value] of [
    [32, count],
    [40, length],
    [48, offset],
  ] as const)
    end.writeBigUInt64LE(BigInt(value), at);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(offset + length), 8);
  return Buffer.concat([end, locator]);
}

/** `crc32` is newer than the oldest Node that is served; the reader under test does not look at it. */
function crc(data: Buffer): number {
  return typeof crc32 === 'function' ? crc32(data) : 0;
}
