/** DICOM written byte by byte: kinds of values, orders and pieces that the library writes for nobody. */

/** An element, explicit and little-endian, of any kind of value. */
export function element(tag: number, vr: string, value: Uint8Array, { bigEndian = false, implicit = false } = {}): Buffer {
  const padded = Buffer.concat([value, Buffer.alloc(value.length % 2)]);
  const [group, number] = [tag >>> 16, tag & 0xffff];
  const long = /^(O[BDFLVW]|S[QV]|U[CNRTV])$/.test(vr);
  const head = Buffer.alloc(implicit || !long ? 8 : 12);
  const u16 = (v: number, at: number) => (bigEndian ? head.writeUInt16BE(v, at) : head.writeUInt16LE(v, at));
  const u32 = (v: number, at: number) => (bigEndian ? head.writeUInt32BE(v, at) : head.writeUInt32LE(v, at));
  u16(group, 0);
  u16(number, 2);
  if (implicit) u32(padded.length, 4);
  else {
    head.write(vr, 4, 'latin1');
    if (long) u32(padded.length, 8);
    else u16(padded.length, 6);
  }
  return Buffer.concat([head, padded]);
}

export const ascii = (text: string) => Buffer.from(text, 'latin1');

export function u16(...values: readonly number[]): Buffer {
  return Buffer.from(Uint16Array.from(values).buffer);
}

export function u64(...values: readonly number[]): Buffer {
  return Buffer.from(BigUint64Array.from(values, BigInt).buffer);
}

/** A piece of packed pixels. */
function item(bytes: Uint8Array, end = false): Buffer {
  const head = Buffer.from([0xfe, 0xff, end ? 0xdd : 0x00, 0xe0, 0, 0, 0, 0]);
  head.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
}

/** Packed pixels of the given pieces, with a basic offset table or an empty one. */
export function packedPixels(fragments: readonly Uint8Array[], table: readonly number[] = []): Buffer {
  const head = Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff]);
  const offsets = Buffer.from(Uint32Array.from(table).buffer);
  return Buffer.concat([head, ...[offsets, ...fragments].map((bytes) => item(bytes)), item(Buffer.alloc(0), true)]);
}

export interface Described {
  readonly width: number;
  readonly height: number;
  readonly samples?: 1 | 3;
  readonly photometric?: string;
  readonly bits?: number;
  readonly bitsAllocated?: 8 | 16;
  readonly highBit?: number;
  readonly signed?: boolean;
  readonly planar?: boolean;
  readonly frames?: number;
  readonly bigEndian?: boolean;
}

/** The elements that describe an image. */
export function description(of: Described): Buffer {
  const { width, height, samples = 1, photometric = 'MONOCHROME2', bits = 8, bigEndian = false } = of;
  const order = { bigEndian };
  const us = (tag: number, value: number) => {
    const bytes = u16(value);
    return element(tag, 'US', bigEndian ? bytes.swap16() : bytes, order);
  };
  const text = (tag: number, vr: string, value: string) =>
    element(tag, vr, ascii(value.padEnd(value.length + (value.length % 2))), order);
  return Buffer.concat([
    us(0x00280002, samples),
    text(0x00280004, 'CS', photometric),
    ...(samples === 3 ? [us(0x00280006, Number(of.planar ?? false))] : []),
    ...(of.frames === undefined ? [] : [text(0x00280008, 'IS', String(of.frames))]),
    us(0x00280010, height),
    us(0x00280011, width),
    us(0x00280100, of.bitsAllocated ?? (bits > 8 ? 16 : 8)),
    us(0x00280101, bits),
    us(0x00280102, of.highBit ?? bits - 1),
    us(0x00280103, Number(of.signed ?? false)),
  ]);
}

/** A file with the preamble. */
export function part10(syntax: string, elements: readonly Uint8Array[], sopClass = '1.2.840.10008.5.1.4.1.1.6.1'): Buffer {
  const uid = (value: string) => Buffer.concat([ascii(value), Buffer.alloc(value.length % 2)]);
  const meta = [element(0x00020002, 'UI', uid(sopClass)), element(0x00020010, 'UI', uid(syntax))];
  return Buffer.concat([Buffer.alloc(128), ascii('DICM'), ...meta, ...elements]);
}
