import type { StatedColour } from './colour.js';

const [SOC, SIZ, COD, SOT] = [0xff4f, 0xff51, 0xff52, 0xff90];

/** The main header of a JPEG 2000 image (ISO/IEC 15444-1, annex A). */
export interface Jpeg2000Header {
  readonly width: number;
  readonly height: number;
  readonly components: number;
  readonly precision: number;
  /** Whether any component is subsampled. */
  readonly reduced: boolean;
  readonly tiles: number;
  readonly layers: number;
  readonly stated: StatedColour;
  /** The raw code stream, without the enclosing JP2 file if any. */
  readonly stream: Uint8Array;
}

/** Reads the main header of a code stream, raw or in a JP2 file; `undefined` if there is none. */
export function readJpeg2000Header(packed: Uint8Array): Jpeg2000Header | undefined {
  const { stream, stated } = isBox(packed, 0, 'jP  ') ? unboxed(packed) : { stream: packed, stated: 'nothing' as const };
  if (stream === undefined || stream.length < 49) return undefined;
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  const components = view.getUint16(40);
  if (view.getUint16(0) !== SOC || view.getUint16(2) !== SIZ || components === 0) return undefined;
  const first = 42;
  if (stream.length < first + 3 * components) return undefined;
  const [right, bottom, left, top, tileWidth, tileHeight, tileLeft, tileTop] = Array.from({ length: 8 }, (_, i) =>
    view.getUint32(8 + 4 * i),
  ) as [number, number, number, number, number, number, number, number];
  const parts = Array.from({ length: components }, (_, i) => stream.subarray(first + 3 * i, first + 3 * i + 3));
  const coding = codingOf(view, first + 3 * components);
  return {
    width: right - left,
    height: bottom - top,
    components,
    precision: Math.max(...parts.map(([bits = 0]) => (bits & 127) + 1)),
    reduced: parts.some(([, across, down]) => across !== 1 || down !== 1),
    tiles: Math.ceil((right - tileLeft) / tileWidth) * Math.ceil((bottom - tileTop) / tileHeight),
    layers: coding.layers,
    stated: coding.transform ? 'own-transform' : stated,
    stream,
  };
}

/** The default coding style, from the segments before the first tile. */
function codingOf(view: DataView, from: number): { readonly transform: boolean; readonly layers: number } {
  for (let at = from; at + 4 <= view.byteLength; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint16(at);
    if (marker === SOT || marker < 0xff00) break;
    if (marker === COD && at + 9 <= view.byteLength)
      return { layers: view.getUint16(at + 6), transform: view.getUint8(at + 8) === 1 };
  }
  return { transform: false, layers: 1 };
}

const ENUMERATED: Readonly<Record<number, StatedColour>> = { 16: 'rgb', 18: 'ybr' };

/** The code stream of a JP2 file, which DICOM forbids but some writers produce, and the colour space stated by the file. */
function unboxed(file: Uint8Array): { readonly stream: Uint8Array | undefined; readonly stated: StatedColour } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let stated: StatedColour = 'nothing';
  for (let at = 0; at + 8 <= file.length; ) {
    const stated32 = view.getUint32(at);
    const long = stated32 === 1 && at + 16 <= file.length;
    const length = stated32 === 0 ? file.length - at : long ? Number(view.getBigUint64(at + 8)) : stated32;
    const body = at + (long ? 16 : 8);
    if (isBox(file, at, 'jp2c')) return { stream: file.subarray(body, Math.min(file.length, at + length)), stated };
    // The boxes of the header are nested in `jp2h`. The first byte of `colr` is the method; 1 is an enumerated colour space.
    if (isBox(file, at, 'colr') && body + 7 <= file.length && file[body] === 1)
      stated = ENUMERATED[view.getUint32(body + 3)] ?? 'nothing';
    if (length < 8) break;
    at = isBox(file, at, 'jp2h') ? body : at + length;
  }
  return { stream: undefined, stated };
}

function isBox(bytes: Uint8Array, at: number, name: string): boolean {
  return [...name].every((letter, i) => bytes[at + 4 + i] === letter.charCodeAt(0));
}
