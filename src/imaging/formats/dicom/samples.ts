import { decodeJpeg2000, decodeJpegLs, requireDecoder } from '#platform/imaging/formats/dicom/codecs';
import { decodeJpegPixels } from '#platform/imaging/formats/dicom/jpeg-pixels';
import { DataError } from '../../../util/index.js';
import { comesAs } from './colour.js';
import type { DicomHeader } from './dicom-header.js';
import type { Sampling } from './frames.js';
import { type JpegHeader, markAsRgb, readJpegHeader, SOF3, SOF55, withoutProfile } from './jpeg.js';
import { readJpeg2000Header } from './jpeg-2000.js';
import { decodeLosslessJpeg } from './jpeg-lossless.js';
import { decodeRleFrame } from './rle.js';

/** A frame's stored values. */
export interface Samples {
  /** Interleaved samples: grey of up to 16 bits, colours of 8. */
  readonly values: Uint8Array | Uint16Array;
  /** Colour space of three samples. */
  readonly colours: 'rgb' | 'ybr';
  /** Significant bits stated by the encoded stream, which is more reliable than the file header. */
  readonly bits?: number;
}

/**
 * Decodes a frame. Sizes stated by the encoded stream are untrusted and compared with the file's header before decoding.
 *
 * @throws DataError naming the file when it is damaged or its size differs from the header's.
 */
export async function unpackFrame(packed: Uint8Array, header: DicomHeader, sampling: Sampling, where: string): Promise<Samples> {
  const { width, height, samples, bitsAllocated, planar, packing, photometric } = header;
  const pixels = width * height;
  switch (packing) {
    case 'native': {
      const colours = comesAs('native', 'nothing', photometric);
      if (sampling !== '4:4:4') return { values: widen422(packed, width, height, sampling), colours };
      const values = together(packed, pixels, samples, planar && samples === 3);
      return { values: bitsAllocated === 16 ? words(values) : values, colours };
    }
    case 'rle': {
      const bytes = decodeRleFrame(packed, pixels, samples, bitsAllocated === 16 ? 2 : 1, where);
      const values = together(bytes, pixels, samples, samples === 3);
      return { values: bitsAllocated === 16 ? words(values) : values, colours: comesAs('rle', 'nothing', photometric) };
    }
    case 'jpeg':
      return jpeg(packed, header, where);
    case 'jpeg-ls': {
      requireDecoder('JPEG-LS');
      const came = readJpegHeader(packed);
      if (came?.frame !== SOF55) throw damaged(where);
      check(came, header, where);
      const decoded = await decodeJpegLs(packed).catch(failed(where));
      const values = together(decoded.bytes, pixels, samples, decoded.planar);
      const colours = comesAs('jpeg-ls', came.stated, photometric);
      return { values: came.precision > 8 ? words(values) : values, colours, bits: came.precision };
    }
    case 'jpeg-2000': {
      requireDecoder('JPEG 2000');
      const came = readJpeg2000Header(packed);
      if (came === undefined) throw damaged(where);
      check(came, header, where);
      checkEffort(came, where);
      const { bytes } = await decodeJpeg2000(came.stream).catch(failed(where));
      const colours = comesAs('jpeg-2000', came.stated, photometric);
      return { values: came.precision > 8 ? words(bytes) : bytes, colours, bits: came.precision };
    }
  }
}

/** Decodes JPEG of any kind. */
async function jpeg(packed: Uint8Array, header: DicomHeader, where: string): Promise<Samples> {
  const came = readJpegHeader(packed);
  if (came === undefined || came.frame === SOF55) throw damaged(where);
  check(came, header, where);
  const { precision, stated } = came;
  if (came.frame === SOF3) {
    const { values } = await Promise.resolve()
      .then(() => decodeLosslessJpeg(packed))
      .catch(failed(where));
    return { values, colours: comesAs('jpeg-lossless', stated, header.photometric), bits: precision };
  }
  if (precision > 8)
    throw new DataError({
      code: 'E_IMAGE_FORMAT',
      where,
      what: `its JPEG has ${precision} bits a sample and losses, which is not read`,
      fix: 'Export it uncompressed, or as lossless JPEG, JPEG-LS or JPEG 2000',
    });
  const { data } = await lossy(packed, came, header).catch(failed(where));
  // The decoder has already converted to RGB.
  return { values: data, colours: 'rgb', bits: precision };
}

async function lossy(packed: Uint8Array, came: JpegHeader, header: DicomHeader): ReturnType<typeof decodeJpegPixels> {
  const plain = withoutProfile(packed);
  const rgb = came.components === 3 && comesAs('jpeg', came.stated, header.photometric) === 'rgb';
  const picture = await decodeJpegPixels(rgb ? markAsRgb(plain) : plain, header.samples === 1);
  if (picture.width !== came.width || picture.height !== came.height || picture.channels !== came.components)
    throw new Error('it came out in another size than it says');
  return picture;
}

/** Properties stated by an encoded image. */
interface Stated {
  readonly width: number;
  readonly height: number;
  readonly components: number;
  readonly precision: number;
  readonly reduced?: boolean;
}

/** @throws DataError unless an encoded image states the same size as its file. */
function check(came: Stated, { width, height, samples, bitsAllocated }: DicomHeader, where: string): void {
  const refuse = (what: string) =>
    new DataError({ code: 'E_IMAGE_DAMAGED', where, what, fix: 'It is damaged or cut off: copy or export it again' });
  const text = (w: number, h: number, n: number) => `${w}x${h} with ${n} sample${n === 1 ? '' : 's'}`;
  if (came.width !== width || came.height !== height || came.components !== samples)
    throw refuse(
      `its packed image is ${text(came.width, came.height, came.components)} a pixel, its header says ${text(width, height, samples)}`,
    );
  if (came.precision < 1 || came.precision > bitsAllocated)
    throw refuse(`its packed image has ${came.precision} bits a sample, its header says ${bitsAllocated}`);
  if (came.reduced === true)
    throw new DataError({
      code: 'E_IMAGE_FORMAT',
      where,
      what: 'its packed colours have fewer samples than pixels, which is not read',
      fix: 'Export it uncompressed or as JPEG',
    });
}

/** Images with more tiles or layers are refused: each costs memory or time even if empty. */
const [MAX_TILES, MAX_LAYERS] = [8192, 1024];

function checkEffort({ tiles, layers }: { readonly tiles: number; readonly layers: number }, where: string): void {
  if (tiles <= MAX_TILES && layers <= MAX_LAYERS) return;
  throw new DataError({
    code: 'E_IMAGE_TOO_LARGE',
    where,
    what: `its packed image is in ${tiles} tiles and ${layers} layers; up to ${MAX_TILES} and ${MAX_LAYERS} are read`,
    fix: 'Check the file, or export it again',
  });
}

function failed(where: string): (cause: unknown) => never {
  return (cause) => {
    throw cause instanceof DataError ? cause : damaged(where, cause);
  };
}

function damaged(where: string, cause?: unknown): DataError {
  return new DataError({
    code: 'E_IMAGE_DAMAGED',
    where,
    what: 'a packed image in it cannot be decoded',
    fix: 'It is damaged or cut off: copy or export it again',
    cause,
  });
}

/** Interleaves planar samples. */
function together(bytes: Uint8Array, pixels: number, samples: number, planar: boolean): Uint8Array {
  if (!planar) return bytes;
  const out = new Uint8Array(pixels * samples);
  for (let s = 0; s < samples; s++) for (let i = 0; i < pixels; i++) out[i * samples + s] = bytes[s * pixels + i] as number;
  return out;
}

/** Converts little-endian bytes, at any alignment, to numbers. */
function words(bytes: Uint8Array): Uint16Array {
  return Uint16Array.from(
    { length: bytes.length >> 1 },
    (_, i) => (bytes[2 * i] as number) | ((bytes[2 * i + 1] as number) << 8),
  );
}

/** Expands Y, Y, Cb, Cr to Y, Cb, Cr twice. */
function widen422(bytes: Uint8Array, width: number, height: number, sampling: Sampling): Uint8Array {
  const out = new Uint8Array(width * height * 3);
  // Lines of odd width are padded by a pixel, or not at all.
  const line = sampling === '4:2:2' ? width + (width % 2) : width;
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i += 3) {
      const stored = y * line + x;
      const at = (stored >> 1) * 4;
      out[i] = bytes[at + (stored & 1)] as number;
      out[i + 1] = bytes[at + 2] as number;
      out[i + 2] = bytes[at + 3] as number;
    }
  return out;
}
