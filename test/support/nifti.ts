import { gzipSync } from 'node:zlib';

/** What a volume file is made of. */
export interface NiftiParts {
  /** Voxels along each axis; the first varies fastest. */
  readonly dims: readonly number[];
  readonly values: readonly number[];
  /** NIfTI's code of the kind of number. Default: 2, bytes. */
  readonly datatype?: 2 | 4 | 8 | 16 | 64 | 128 | 512 | 768 | 1024 | 2304;
  readonly version?: 1 | 2;
  readonly endian?: 'little' | 'big';
  readonly slope?: number;
  readonly intercept?: number;
  readonly pixdims?: readonly number[];
  readonly units?: number;
  /** Rows of the matrix to right, anterior, superior. */
  readonly sform?: readonly (readonly number[])[];
  /** b, c, d of a rotation. */
  readonly qform?: readonly [number, number, number];
  readonly magic?: string;
  readonly gzip?: boolean;
}

const BYTES: Readonly<Record<number, number>> = { 2: 1, 4: 2, 8: 4, 16: 4, 64: 8, 128: 1, 512: 2, 768: 4, 1024: 8, 2304: 1 };

/** A volume file after the standard's own tables of offsets. */
export function nifti(parts: NiftiParts): Buffer {
  const { dims, values, datatype = 2, version = 1, slope = 0, intercept = 0, units = 2, sform, qform, gzip = false } = parts;
  const little = (parts.endian ?? 'little') === 'little';
  const pixdims = [1, ...(parts.pixdims ?? [1, 1, 1])];
  const offset = version === 1 ? 352 : 544;
  const size = BYTES[datatype] as number;
  const bytes = new DataView(new ArrayBuffer(offset + values.length * size));
  const text = (at: number, letters: string) => {
    for (let i = 0; i < letters.length; i++) bytes.setUint8(at + i, letters.charCodeAt(i));
  };
  const short = (at: number, value: number) => bytes.setInt16(at, value, little);
  const int = (at: number, value: number) => bytes.setInt32(at, value, little);
  const long = (at: number, value: number) => bytes.setBigInt64(at, BigInt(value), little);
  const float = (at: number, value: number) => bytes.setFloat32(at, value, little);
  const double = (at: number, value: number) => bytes.setFloat64(at, value, little);
  const [b, c, d] = qform ?? [0, 0, 0];
  if (version === 1) {
    int(0, 348);
    [dims.length, ...dims].forEach((n, i) => {
      short(40 + 2 * i, n);
    });
    short(70, datatype);
    short(72, size * 8);
    pixdims.forEach((n, i) => {
      float(76 + 4 * i, n);
    });
    float(108, offset);
    float(112, slope);
    float(116, intercept);
    bytes.setUint8(123, units);
    short(252, qform === undefined ? 0 : 1);
    short(254, sform === undefined ? 0 : 1);
    [b, c, d].forEach((n, i) => {
      float(256 + 4 * i, n);
    });
    sform?.flat().forEach((n, i) => {
      float(280 + 4 * i, n);
    });
    text(344, parts.magic ?? 'n+1');
  } else {
    int(0, 540);
    text(4, parts.magic ?? 'n+2\0\r\n\u001a\n');
    short(12, datatype);
    short(14, size * 8);
    [dims.length, ...dims].forEach((n, i) => {
      long(16 + 8 * i, n);
    });
    pixdims.forEach((n, i) => {
      double(104 + 8 * i, n);
    });
    long(168, offset);
    double(176, slope);
    double(184, intercept);
    int(344, qform === undefined ? 0 : 1);
    int(348, sform === undefined ? 0 : 1);
    [b, c, d].forEach((n, i) => {
      double(352 + 8 * i, n);
    });
    sform?.flat().forEach((n, i) => {
      double(400 + 8 * i, n);
    });
    int(500, units);
  }
  values.forEach((value, i) => {
    const at = offset + i * size;
    if (size === 1) bytes.setUint8(at, value);
    else if (datatype === 4) short(at, value);
    else if (datatype === 512) bytes.setUint16(at, value, little);
    else if (datatype === 8) int(at, value);
    else if (datatype === 768) bytes.setUint32(at, value, little);
    else if (datatype === 16) float(at, value);
    else if (datatype === 64) double(at, value);
    else long(at, value);
  });
  const file = Buffer.from(bytes.buffer);
  return gzip ? gzipSync(file) : file;
}
