import type { StatedColour } from './colour.js';
import { joinBytes } from './join-bytes.js';

const [SOI, EOI, SOS, TEM, APP0, APP2, APP14] = [0xd8, 0xd9, 0xda, 0x01, 0xe0, 0xe2, 0xee];

/** Frame markers of lossless JPEG (ITU-T T.81) and JPEG-LS (T.87). */
export const [SOF3, SOF55] = [0xc3, 0xf7];

/** Frame markers: C0 to CF, except tables (C4, CC) and an extension (C8), plus JPEG-LS. */
const isFrame = (marker: number) =>
  marker === SOF55 || (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker));

/** APP14 "Adobe" segment, version 100, no flags, transform 0: the three components are RGB. */
const RGB_MARKER = [0xff, APP14, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0];

/** The headers of a JPEG or JPEG-LS before its first scan. */
export interface JpegHeader {
  /** The frame marker: {@link SOF3} is lossless. */
  readonly frame: number;
  readonly precision: number;
  readonly width: number;
  readonly height: number;
  readonly components: number;
  readonly stated: StatedColour;
}

interface Segment {
  readonly marker: number;
  /** Offset of its marker. */
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

/** The segments up to and including the first scan header. */
function* segments(bytes: Uint8Array): Generator<Segment> {
  if (bytes[0] !== 0xff || bytes[1] !== SOI) return;
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1] as number;
    // Markers may be preceded by fill bytes; some have no body.
    if (marker === 0xff || marker === TEM || (marker >= 0xd0 && marker <= SOI)) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    if (marker === EOI) return;
    const end = at + 2 + word(bytes, at + 2);
    yield { marker, start: at, body: at + 4, end };
    if (marker === SOS) return;
    at = end;
  }
}

/** Reads the headers before the first scan; `undefined` if there is no frame header, so that decoding is impossible. */
export function readJpegHeader(bytes: Uint8Array): JpegHeader | undefined {
  let mark: StatedColour = 'nothing';
  for (const { marker, body, end } of segments(bytes)) {
    if (marker === APP0 && mark !== 'ybr' && begins(bytes, body, end, 'JFIF\0')) mark = 'ybr';
    // Decoders give JFIF precedence over Adobe.
    if (marker === APP14 && mark === 'nothing' && end - body >= 12 && begins(bytes, body, end, 'Adobe'))
      mark = bytes[body + 11] === 0 ? 'rgb' : 'ybr';
    if (!isFrame(marker)) continue;
    const components = bytes[body + 5] as number;
    if (end > bytes.length || end - body < 6 + 3 * components) return undefined;
    const parts = Array.from({ length: components }, (_, i) => bytes.subarray(body + 6 + 3 * i, body + 9 + 3 * i));
    const named = /^rgb$/i.test(String.fromCharCode(...parts.map(([id = 0]) => id)));
    const reduced = parts.some(([, sampling]) => sampling !== parts[0]?.[1]);
    return {
      frame: marker,
      precision: bytes[body] as number,
      height: word(bytes, body + 1),
      width: word(bytes, body + 3),
      components,
      stated: mark !== 'nothing' ? mark : named ? 'rgb' : reduced ? 'ybr' : 'nothing',
    };
  }
  return undefined;
}

/** Inserts a marker that declares the JPEG as RGB, as decoders assume YCbCr for three components without one. */
export function markAsRgb(bytes: Uint8Array): Uint8Array {
  return joinBytes(bytes.subarray(0, 2), Uint8Array.from(RGB_MARKER), bytes.subarray(2));
}

/** Removes colour profiles: the stored values are displayed as they are, as in all other DICOM encodings. */
export function withoutProfile(bytes: Uint8Array): Uint8Array {
  const profiles = [...segments(bytes)].filter(
    ({ marker, body, end }) => marker === APP2 && begins(bytes, body, end, 'ICC_PROFILE\0'),
  );
  if (profiles.length === 0) return bytes;
  const cuts = [0, ...profiles.flatMap(({ start, end }) => [start, end]), bytes.length];
  return joinBytes(...cuts.flatMap((from, i) => (i % 2 === 0 ? [bytes.subarray(from, cuts[i + 1])] : [])));
}

function begins(bytes: Uint8Array, at: number, end: number, text: string): boolean {
  return end - at >= text.length && [...text].every((letter, i) => bytes[at + i] === letter.charCodeAt(0));
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}
