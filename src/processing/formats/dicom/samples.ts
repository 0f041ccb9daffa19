import { DataError } from '../../../util/index.js';
import { decodeJpeg2000, decodeJpegLs } from './codecs.js';
import type { DicomHeader } from './dicom-header.js';
import { kindOfJpeg, markAsRgb } from './jpeg.js';
import { decodeLosslessJpeg } from './jpeg-lossless.js';
import { decodeJpegPixels } from './jpeg-pixels.js';
import { decodeRleFrame } from './rle.js';

/** A frame's stored numbers. */
export interface Samples {
  /** Samples of a pixel together; grey of up to 16 bits, colours of 8. */
  readonly values: Uint8Array | Uint16Array;
  /** Whether the decoder has made RGB of them, whatever the file calls them. */
  readonly rgb: boolean;
}

/**
 * Unpacks a frame.
 *
 * @throws DataError naming the file when it is damaged or of another size than the file says.
 */
export async function unpackFrame(packed: Uint8Array, header: DicomHeader, where: string): Promise<Samples> {
  const { width, height, samples, bitsAllocated, planar, packing } = header;
  const pixels = width * height;
  switch (packing) {
    case 'native': {
      if (header.photometric === 'YBR_FULL_422') return { values: widen422(packed, pixels), rgb: false };
      const values = together(packed, pixels, samples, planar && samples === 3);
      return { values: bitsAllocated === 16 ? words(values) : values, rgb: false };
    }
    case 'rle': {
      const bytes = decodeRleFrame(packed, pixels, samples, bitsAllocated === 16 ? 2 : 1, where);
      const values = together(bytes, pixels, samples, samples === 3);
      return { values: bitsAllocated === 16 ? words(values) : values, rgb: false };
    }
    case 'jpeg':
      return jpeg(packed, header, where);
    default: {
      const decoded = await (packing === 'jpeg-ls' ? decodeJpegLs : decodeJpeg2000)(packed).catch((cause) => {
        throw cause instanceof DataError ? cause : damaged(where, cause);
      });
      check(decoded, header, where);
      const values = together(decoded.bytes, pixels, samples, decoded.planar);
      // JPEG 2000 undoes its own colour transforms, those that the file calls YBR_ICT and YBR_RCT.
      const rgb = /^YBR_(ICT|RCT)$/.test(header.photometric);
      return { values: decoded.bitsPerSample > 8 ? words(values) : values, rgb };
    }
  }
}

/** JPEG of any of its kinds. */
async function jpeg(packed: Uint8Array, header: DicomHeader, where: string): Promise<Samples> {
  const { lossless, precision } = kindOfJpeg(packed);
  if (precision > 8 && !lossless)
    throw new DataError({
      where,
      what: `its JPEG has ${precision} bits a sample and losses, which is not read`,
      fix: 'Export it uncompressed, or as lossless JPEG, JPEG-LS or JPEG 2000',
    });
  const bytes = header.photometric === 'RGB' ? markAsRgb(packed) : packed;
  try {
    if (precision > 8) {
      const frame = decodeLosslessJpeg(bytes);
      check({ ...frame, componentCount: 1 }, header, where);
      return { values: frame.values, rgb: false };
    }
    const { width, height, channels, data } = await decodeJpegPixels(bytes, header.samples === 1);
    check({ width, height, componentCount: channels }, header, where);
    return { values: data, rgb: true };
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw damaged(where, cause);
  }
}

function check(
  came: { readonly width: number; readonly height: number; readonly componentCount: number },
  { width, height, samples }: DicomHeader,
  where: string,
): void {
  if (came.width === width && came.height === height && came.componentCount === samples) return;
  const text = ({ width: w, height: h, n }: { width: number; height: number; n: number }) =>
    `${w}x${h} with ${n} sample${n === 1 ? '' : 's'}`;
  throw new DataError({
    where,
    what: `its packed picture is ${text({ ...came, n: came.componentCount })} a pixel, its header says ${text({ width, height, n: samples })}`,
    fix: 'It is damaged or cut off: copy or export it again',
  });
}

function damaged(where: string, cause: unknown): DataError {
  return new DataError({
    where,
    what: 'a packed picture in it cannot be decoded',
    fix: 'It is damaged or cut off: copy or export it again',
    cause,
  });
}

/** Planes made pixels. */
function together(bytes: Uint8Array, pixels: number, samples: number, planar: boolean): Uint8Array {
  if (!planar) return bytes;
  const out = new Uint8Array(pixels * samples);
  for (let s = 0; s < samples; s++) for (let i = 0; i < pixels; i++) out[i * samples + s] = bytes[s * pixels + i] as number;
  return out;
}

/** Little-endian bytes as numbers, wherever they lie. */
function words(bytes: Uint8Array): Uint16Array {
  return Uint16Array.from(
    { length: bytes.length >> 1 },
    (_, i) => (bytes[2 * i] as number) | ((bytes[2 * i + 1] as number) << 8),
  );
}

/** Y, Y, Cb, Cr made Y, Cb, Cr twice. */
function widen422(bytes: Uint8Array, pixels: number): Uint8Array {
  const out = new Uint8Array(pixels * 3);
  for (let i = 0; i < pixels; i++) {
    const at = (i >> 1) * 4;
    out[i * 3] = bytes[at + (i & 1)] as number;
    out[i * 3 + 1] = bytes[at + 2] as number;
    out[i * 3 + 2] = bytes[at + 3] as number;
  }
  return out;
}
