import { DataError } from '../util/index.js';
import type { RasterImage } from './raster-image.js';

/** Whether a file begins as Windows bitmaps do. */
export function isBmp(bytes: Buffer): boolean {
  return bytes.length > 54 && bytes.toString('latin1', 0, 2) === 'BM';
}

/**
 * Decodes an uncompressed Windows bitmap with 8 (palette), 24 or 32 bits a pixel.
 *
 * @throws DataError for other kinds and for truncated files.
 */
export function decodeBmp(bytes: Buffer, where: string): RasterImage {
  const [offset, headerSize, width, signedHeight] = [10, 14, 18, 22].map((at) => bytes.readInt32LE(at)) as [
    number,
    number,
    number,
    number,
  ];
  const bits = bytes.readUInt16LE(28);
  const compression = bytes.readUInt32LE(30);
  const height = Math.abs(signedHeight);
  const rowBytes = Math.ceil((width * bits) / 32) * 4;
  const plain = compression === 0 || (compression === 3 && bits === 32);
  if (!plain || ![8, 24, 32].includes(bits)) {
    throw new DataError({
      where,
      what: `this kind of BMP (${bits} bits, compression ${compression}) is not read`,
      fix: 'Convert it to PNG',
    });
  }
  if (width <= 0 || offset + rowBytes * height > bytes.length) {
    throw new DataError({ where, what: 'the file is shorter than its header says', fix: 'Copy or export it again' });
  }
  const palette = 14 + headerSize;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const row = offset + rowBytes * (signedHeight > 0 ? height - 1 - y : y);
    for (let x = 0; x < width; x++) {
      const at = bits === 8 ? palette + (bytes[row + x] as number) * 4 : row + x * (bits / 8);
      const to = (y * width + x) * 3;
      data[to] = bytes[at + 2] as number;
      data[to + 1] = bytes[at + 1] as number;
      data[to + 2] = bytes[at] as number;
    }
  }
  return { width, height, data };
}
