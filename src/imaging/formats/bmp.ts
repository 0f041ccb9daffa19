import { DataError } from '../../util/index.js';
import type { RasterImage } from '../raster-image.js';

/** Whether a file starts with the signature of a Windows bitmap. */
export function isBmp(bytes: Buffer): boolean {
  return (
    bytes.length > 26 &&
    bytes.toString('latin1', 0, 2) === 'BM' &&
    [12, 40, 52, 56, 64, 108, 124].includes(bytes.readUInt32LE(14))
  );
}

/** The headers of a bitmap. */
interface BmpHeader {
  readonly offset: number;
  readonly width: number;
  readonly height: number;
  readonly topDown: boolean;
  readonly bits: number;
  readonly compression: number;
  /** RGB of each palette entry. */
  readonly palette: Uint8Array;
  /** Bit masks of red, green and blue in 16-bit or 32-bit pixels. */
  readonly masks: readonly [number, number, number];
}

const [PLAIN, RLE8, RLE4, BITFIELDS] = [0, 1, 2, 3];

/** Bitmaps with more pixels are refused. */
const MAX_PIXELS = 100_000_000;

/**
 * Decodes a Windows or OS/2 bitmap: 1, 4 and 8 bits with a palette, 16, 24 and 32 bits, and 4-bit and 8-bit run-length encoding.
 * Transparency is ignored.
 *
 * @throws DataError for other kinds and for truncated files.
 */
export function decodeBmp(bytes: Buffer, where: string): RasterImage {
  const header = readHeader(bytes, where);
  const { width, height, topDown, bits, compression, palette } = header;
  const data = new Uint8Array(width * height * 3);
  const row = (line: number) => (topDown ? line : height - 1 - line) * width * 3;
  if (bits <= 8) {
    const indices = compression === PLAIN ? plainIndices(bytes, header) : runIndices(bytes, header, where);
    for (let line = 0, i = 0; line < height; line++)
      for (let x = 0, to = row(line); x < width; x++, i++, to += 3)
        for (let c = 0; c < 3; c++) data[to + c] = palette[(indices[i] as number) * 3 + c] ?? 0;
    return { width, height, data };
  }
  const rowBytes = rowSize(header);
  for (let line = 0; line < height; line++) {
    const start = header.offset + rowBytes * line;
    for (let x = 0, to = row(line); x < width; x++, to += 3) writePixel(bytes, start, x, header, data, to);
  }
  return { width, height, data };
}

function readHeader(bytes: Buffer, where: string): BmpHeader {
  const size = bytes.readUInt32LE(14);
  const short = () =>
    new DataError({
      code: 'E_IMAGE_DAMAGED',
      where,
      what: 'the file is shorter than its header says',
      fix: 'Copy or export it again',
    });
  const os2 = size === 12;
  if (bytes.length < 14 + size) throw short();
  const width = os2 ? bytes.readUInt16LE(18) : bytes.readInt32LE(18);
  const signedHeight = os2 ? bytes.readUInt16LE(20) : bytes.readInt32LE(22);
  const bits = bytes.readUInt16LE(os2 ? 24 : 28);
  const compression = os2 ? PLAIN : bytes.readUInt32LE(30);
  const known =
    (compression === PLAIN && [1, 4, 8, 16, 24, 32].includes(bits)) ||
    (compression === RLE8 && bits === 8) ||
    (compression === RLE4 && bits === 4) ||
    (compression === BITFIELDS && (bits === 16 || bits === 32));
  if (!known)
    throw new DataError({
      code: 'E_IMAGE_FORMAT',
      where,
      what: `this kind of BMP (${bits} bits, compression ${compression}) is not read`,
      fix: 'Convert it to PNG',
    });
  const height = Math.abs(signedHeight);
  if (width <= 0 || height === 0)
    throw new DataError({
      code: 'E_IMAGE_DAMAGED',
      where,
      what: `its header says ${width}x${height} pixels`,
      fix: 'Copy or export it again',
    });
  if (width * height > MAX_PIXELS)
    throw new DataError({
      code: 'E_IMAGE_TOO_LARGE',
      where,
      what: `it is ${width}x${height} pixels; up to ${MAX_PIXELS / 1e6} million are read`,
      fix: 'Check the file, or make it smaller',
    });
  const masked = compression === BITFIELDS && bytes.length >= 66;
  const masks = masked ? ([54, 58, 62].map((at) => bytes.readUInt32LE(at)) as [number, number, number]) : DEFAULT_MASKS[bits];
  const header: BmpHeader = {
    offset: bytes.readUInt32LE(10),
    width,
    height,
    topDown: signedHeight < 0,
    bits,
    compression,
    palette: bits <= 8 ? readPalette(bytes, size, bits) : new Uint8Array(0),
    masks: masks ?? [0, 0, 0],
  };
  const runs = compression === RLE8 || compression === RLE4;
  if (!runs && header.offset + rowSize(header) * height > bytes.length) throw short();
  return header;
}

const DEFAULT_MASKS: Readonly<Record<number, readonly [number, number, number]>> = {
  16: [0x7c00, 0x3e0, 0x1f],
  32: [0xff0000, 0xff00, 0xff],
};

function readPalette(bytes: Buffer, headerSize: number, bits: number): Uint8Array {
  const stated = headerSize >= 36 ? bytes.readUInt32LE(46) : 0;
  const entries = stated === 0 ? 1 << bits : Math.min(stated, 1 << bits);
  const step = headerSize === 12 ? 3 : 4;
  const palette = new Uint8Array(entries * 3);
  for (let i = 0; i < entries; i++) {
    const at = 14 + headerSize + i * step;
    for (let c = 0; c < 3; c++) palette[i * 3 + c] = bytes[at + 2 - c] ?? 0;
  }
  return palette;
}

function rowSize({ width, bits }: BmpHeader): number {
  return Math.ceil((width * bits) / 32) * 4;
}

function plainIndices(bytes: Buffer, header: BmpHeader): Uint8Array {
  const { offset, width, height, bits } = header;
  const perByte = 8 / bits;
  const out = new Uint8Array(width * height);
  for (let line = 0; line < height; line++) {
    const start = offset + rowSize(header) * line;
    for (let x = 0; x < width; x++) {
      const byte = bytes[start + Math.floor(x / perByte)] as number;
      out[line * width + x] = (byte >> (8 - bits * ((x % perByte) + 1))) & ((1 << bits) - 1);
    }
  }
  return out;
}

/** Runs and literals; 0 0 ends a line, 0 1 ends the image, 0 2 moves by the next two numbers. */
function runIndices(bytes: Buffer, { offset, width, height, bits }: BmpHeader, where: string): Uint8Array {
  const out = new Uint8Array(width * height);
  const nibbles = bits === 4;
  let [x, line, at] = [0, 0, offset];
  const put = (value: number) => {
    if (x < width && line < height) out[line * width + x] = value;
    x++;
  };
  const half = (byte: number, i: number) => (nibbles ? (i % 2 === 0 ? byte >> 4 : byte & 15) : byte);
  while (line < height) {
    const [count, value] = [bytes[at++], bytes[at++]];
    if (count === undefined || value === undefined)
      throw new DataError({
        code: 'E_IMAGE_DAMAGED',
        where,
        what: 'the file is shorter than its header says',
        fix: 'Copy or export it again',
      });
    if (count > 0) for (let i = 0; i < count; i++) put(half(value, i));
    else if (value === 0) [x, line] = [0, line + 1];
    else if (value === 1) break;
    else if (value === 2) [x, line] = [x + (bytes[at++] ?? 0), line + (bytes[at++] ?? 0)];
    else {
      for (let i = 0; i < value; i++) put(half(bytes[at + (nibbles ? i >> 1 : i)] ?? 0, i));
      // Literals are padded to whole words.
      const used = nibbles ? (value + 1) >> 1 : value;
      at += used + (used % 2);
    }
  }
  return out;
}

function writePixel(bytes: Buffer, start: number, x: number, { bits, masks }: BmpHeader, data: Uint8Array, to: number): void {
  if (bits === 24) {
    for (let c = 0; c < 3; c++) data[to + c] = bytes[start + x * 3 + 2 - c] as number;
    return;
  }
  const pixel = bits === 16 ? bytes.readUInt16LE(start + x * 2) : bytes.readUInt32LE(start + x * 4);
  for (let c = 0; c < 3; c++) {
    const mask = masks[c] as number;
    // The lowest set bit of the mask gives the shift, the highest the range.
    const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
    const top = mask >>> shift;
    data[to + c] = top === 0 ? 0 : Math.round((((pixel & mask) >>> shift) * 255) / top);
  }
}
