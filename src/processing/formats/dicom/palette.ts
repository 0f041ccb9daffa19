import type { DataSet } from 'dicom-parser';
import { DataError } from '../../../util/index.js';

/** What a stored value looks like: three tables that begin at `first`, whose ends serve for values beyond them. */
export interface Palette {
  readonly first: number;
  readonly tables: readonly [Uint8Array, Uint8Array, Uint8Array];
}

const CHANNELS = [
  ['x00281101', 'x00281201'],
  ['x00281102', 'x00281202'],
  ['x00281103', 'x00281203'],
] as const;

/**
 * Reads the lookup tables of PALETTE COLOR (DICOM PS3.3, C.7.6.3.1.5 and C.7.6.3.1.6).
 *
 * @throws DataError naming the file when they are missing, cut off or segmented.
 */
export function paletteOf(set: DataSet, signed: boolean, where: string): Palette {
  const tables = CHANNELS.map(([descriptor, data]) => tableOf(set, descriptor, data, where));
  const first = signed ? set.int16(CHANNELS[0][0], 1) : set.uint16(CHANNELS[0][0], 1);
  return { first: first ?? 0, tables: tables as [Uint8Array, Uint8Array, Uint8Array] };
}

function tableOf(set: DataSet, descriptor: string, tag: string, where: string): Uint8Array {
  const stated = set.uint16(descriptor, 0);
  const bits = set.uint16(descriptor, 2);
  const data = set.elements[tag];
  if (stated === undefined || bits === undefined || data === undefined)
    throw new DataError({
      where,
      what: 'its palette is missing or segmented',
      fix: 'Export it as RGB',
    });
  // 0 stands for 65536, which does not fit into the field.
  const entries = stated === 0 ? 65536 : stated;
  const words = data.length >= entries * 2;
  if (!words && data.length < entries)
    throw new DataError({ where, what: `its palette has ${data.length} bytes for ${entries} entries`, fix: 'Export it again' });
  if (!words) return Uint8Array.from(set.byteArray.subarray(data.dataOffset, data.dataOffset + entries));
  const values = Array.from({ length: entries }, (_, i) => set.uint16(tag, i) ?? 0);
  // Some scanners announce 16 bits and write 8.
  const small = bits === 8 || values.every((value) => value <= 255);
  return Uint8Array.from(values, (value) => (small ? value & 255 : value >> 8));
}
