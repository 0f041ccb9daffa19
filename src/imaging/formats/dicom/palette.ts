import type { DataSet, Element } from 'dicom-parser';
import { DataError } from '../../../util/index.js';
import { expandSegments } from './segmented-palette.js';

/** Lookup tables of the three colours. They start at stored value `first`; their end entries apply to values outside. */
export interface Palette {
  readonly first: number;
  readonly tables: readonly [Uint8Array, Uint8Array, Uint8Array];
}

const CHANNELS = [
  { descriptor: 'x00281101', data: 'x00281201', segmented: 'x00281221' },
  { descriptor: 'x00281102', data: 'x00281202', segmented: 'x00281222' },
  { descriptor: 'x00281103', data: 'x00281203', segmented: 'x00281223' },
] as const;

/**
 * Reads the lookup tables of PALETTE COLOR, plain or segmented (DICOM PS3.3, C.7.6.3.1.5, C.7.6.3.1.6 and C.7.9.2).
 *
 * @throws DataError naming the file when they are missing, truncated or invalid.
 */
export function paletteOf(set: DataSet, signed: boolean, where: string): Palette {
  const tables = CHANNELS.map((channel) => tableOf(set, channel, where));
  const first = signed ? set.int16(CHANNELS[0].descriptor, 1) : set.uint16(CHANNELS[0].descriptor, 1);
  return { first: first ?? 0, tables: tables as [Uint8Array, Uint8Array, Uint8Array] };
}

function tableOf(set: DataSet, { descriptor, data, segmented }: (typeof CHANNELS)[number], where: string): Uint8Array {
  const refuse = (what: string, fix = 'Export it again') => new DataError({ code: 'E_IMAGE_DAMAGED', where, what, fix });
  const stated = set.uint16(descriptor, 0);
  const bits = set.uint16(descriptor, 2);
  const [plain, packed] = [set.elements[data], set.elements[segmented]];
  if (stated === undefined || bits === undefined || (plain ?? packed) === undefined)
    throw refuse('its palette is missing', 'Export it as RGB');
  if (plain === undefined && (packed as Element).length > MAX_SEGMENTED)
    throw refuse(`its segmented palette has ${packed?.length} bytes, up to ${MAX_SEGMENTED} are read`);
  // 0 stands for 65536, which exceeds the field's range.
  const entries = stated === 0 ? 65536 : stated;
  const values =
    plain !== undefined
      ? plainValues(set, plain, entries)
      : expandSegments(bits === 8 ? bytesOf(set, packed as Element) : wordsOf(set, packed as Element), bits === 8, entries);
  if (typeof values === 'string') throw refuse(`its segmented palette ${values}`);
  if (values.length < entries) throw refuse(`its palette has ${values.length} of ${entries} entries`);
  // Some scanners declare 16 bits and write 8.
  const small = bits === 8 || values.every((value) => value <= 255);
  return Uint8Array.from(values, (value) => (small ? value & 255 : value >> 8));
}

/** Segmented data of more bytes is not a palette: all entries listed individually take 131 kB. */
const MAX_SEGMENTED = 1_000_000;

/** 8-bit entries are packed or, in many files, stored in 16-bit words. */
function plainValues(set: DataSet, data: Element, entries: number): readonly number[] {
  return data.length >= entries * 2 ? wordsOf(set, data, entries) : bytesOf(set, data).slice(0, entries);
}

function wordsOf(set: DataSet, { tag, length }: Element, count = length >> 1): number[] {
  return Array.from({ length: count }, (_, i) => set.uint16(tag, i) ?? 0);
}

/** Bytes are packed in words, the first one in the low half, in either byte order. */
function bytesOf(set: DataSet, data: Element): number[] {
  const pairs = wordsOf(set, data).flatMap((word) => [word & 255, word >> 8]);
  return data.length % 2 === 0 ? pairs : [...pairs, set.byteArray[data.dataOffset + data.length - 1] as number];
}
