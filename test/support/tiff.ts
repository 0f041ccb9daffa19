import { deflateSync } from 'node:zlib';

/** Kinds of numbers by their names, with TIFF's own number of the kind. */
const KINDS = {
  int8: [1, 2, (view, at, value) => view.setInt8(at, value)],
  uint16: [2, 1, (view, at, value, little) => view.setUint16(at, value, little)],
  int16: [2, 2, (view, at, value, little) => view.setInt16(at, value, little)],
  uint32: [4, 1, (view, at, value, little) => view.setUint32(at, value, little)],
  int32: [4, 2, (view, at, value, little) => view.setInt32(at, value, little)],
  float32: [4, 3, (view, at, value, little) => view.setFloat32(at, value, little)],
  float64: [8, 3, (view, at, value, little) => view.setFloat64(at, value, little)],
  int64: [8, 2, (view, at, value, little) => view.setBigInt64(at, BigInt(value), little)],
} as const satisfies Record<
  string,
  readonly [number, number, (view: DataView, at: number, value: number, little: boolean) => void]
>;

export interface TiffParts {
  readonly kind: keyof typeof KINDS;
  readonly width: number;
  readonly height: number;
  /** Row-major, the channels of a pixel together. */
  readonly values: readonly number[];
  /** Default: 1; 3 are colours. */
  readonly channels?: 1 | 3;
  readonly endian?: 'little' | 'big';
  /** Default: none. */
  readonly packed?: 'deflate' | 'packbits';
  /** Tags that take the place of those that are right. */
  readonly tags?: Readonly<Record<number, number>>;
}

/** A TIFF of one page in one strip, after the specification's baseline. */
export function tiff(parts: TiffParts): Buffer {
  return tiffOfPages([parts]);
}

/** A TIFF of several pages. */
export function tiffOfPages(pages: readonly TiffPages[number][]): Buffer {
  const little = (pages[0]?.endian ?? 'little') === 'little';
  const made = pages.map((page) => ({ page, strip: stripOf(page, little) }));
  const head = Buffer.alloc(8);
  head.write(little ? 'II' : 'MM');
  const put = (bytes: Buffer, at: number, value: number, size: 2 | 4) => {
    if (little) bytes.writeUIntLE(value, at, size);
    else bytes.writeUIntBE(value, at, size);
  };
  put(head, 2, 42, 2);
  put(head, 4, 8, 4);
  let at = 8;
  const parts = made.map(({ page, strip }, i) => {
    const { width, height, kind, channels = 1, packed, tags = {} } = page;
    const [size, format] = KINDS[kind];
    const entries = {
      256: width,
      257: height,
      258: size * 8,
      259: packed === 'deflate' ? 8 : packed === 'packbits' ? 32773 : 1,
      262: channels === 3 ? 2 : 1,
      273: 0,
      277: channels,
      278: height,
      279: strip.length,
      339: format,
      ...tags,
    };
    // Values of several channels stand behind the directory.
    const bits = channels === 3 ? [258, 339] : [];
    const length = 2 + 12 * Object.keys(entries).length + 4 + bits.length * 6;
    const directory = Buffer.alloc(length);
    put(directory, 0, Object.keys(entries).length, 2);
    for (const [k, [tag, value]] of Object.entries(entries).entries()) {
      const entry = 2 + 12 * k;
      const several = bits.indexOf(Number(tag));
      put(directory, entry, Number(tag), 2);
      put(directory, entry + 2, several < 0 ? 4 : 3, 2);
      put(directory, entry + 4, several < 0 ? 1 : 3, 4);
      const behind = length - (bits.length - several) * 6;
      put(directory, entry + 8, several >= 0 ? at + behind : tag === '273' && value === 0 ? at + length : value, 4);
      if (several >= 0) for (const c of [0, 1, 2]) put(directory, behind + 2 * c, value, 2);
    }
    at += length + strip.length;
    put(directory, length - 4 - bits.length * 6, i === made.length - 1 ? 0 : at, 4);
    return Buffer.concat([directory, strip]);
  });
  return Buffer.concat([head, ...parts]);
}

type TiffPages = readonly TiffParts[];

function stripOf({ kind, values, packed }: TiffParts, little: boolean): Buffer {
  const [size, , set] = KINDS[kind];
  const view = new DataView(new ArrayBuffer(values.length * size));
  for (const [i, value] of values.entries()) set(view, i * size, value, little);
  const bytes = Buffer.from(view.buffer);
  if (packed === 'deflate') return deflateSync(bytes);
  if (packed === undefined) return bytes;
  // PackBits: runs of up to 128 equal bytes, and each other byte by itself.
  const out: number[] = [];
  for (let i = 0; i < bytes.length; ) {
    let run = 1;
    while (run < 128 && bytes[i + run] === bytes[i]) run += 1;
    out.push(run > 1 ? 257 - run : 0, bytes[i] as number);
    i += run;
  }
  return Buffer.from(out);
}
