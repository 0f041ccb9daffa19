import type { DataSet, Element } from 'dicom-parser';
import { DataError } from '../../../util/index.js';
import type { DicomHeader } from './dicom-header.js';
import type { Frames } from './frames.js';
import { joinBytes } from './join-bytes.js';
import type { Packing } from './transfer-syntax.js';

/** A fragment of encapsulated pixels. A frame may span several. */
interface Fragment {
  /** Relative to the first fragment's item, as in offset tables. */
  readonly offset: number;
  readonly start: number;
  readonly end: number;
}

/** Files with more fragments are refused: that is hours of video, or an attack on memory. */
const MAX_FRAGMENTS = 1_000_000;

const [ITEM, SEQUENCE_END] = [0xe000, 0xe0dd];
const ITEM_HEAD = 8;

const EXTENDED_OFFSETS = 'x7fe00001';

/** Locates the frames of encapsulated pixels (DICOM PS3.5, annex A.4). */
export function packedFrames(set: DataSet, element: Element, header: DicomHeader, where: string): Frames {
  const bytes = set.byteArray as Uint8Array;
  const { table, fragments } = fragmentsOf(bytes, element, where);
  const groups = grouped(bytes, set, header, table, fragments, where);
  return {
    sampling: '4:4:4',
    bytes(frame) {
      const own = groups[frame] ?? [];
      if (own.every(({ start, end }) => start === end))
        throw new DataError({ code: 'E_IMAGE_DAMAGED', where, what: `frame ${frame} is empty`, fix: 'Copy or export it again' });
      const [only] = own as [Fragment];
      return own.length === 1
        ? bytes.subarray(only.start, only.end)
        : joinBytes(...own.map(({ start, end }) => bytes.subarray(start, end)));
    },
  };
}

/** The basic offset table and the fragments after it. */
function fragmentsOf(
  bytes: Uint8Array,
  { dataOffset, length }: Element,
  where: string,
): { readonly table: readonly number[]; readonly fragments: readonly Fragment[] } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const last = length === 0xffffffff ? bytes.length : dataOffset + length;
  const damaged = (what: string) =>
    new DataError({ code: 'E_IMAGE_DAMAGED', where, what, fix: 'It is damaged or cut off: copy or export it again' });
  const items: Fragment[] = [];
  let first = 0;
  for (let at = dataOffset; at + ITEM_HEAD <= last; ) {
    const [group, element, size] = [view.getUint16(at, true), view.getUint16(at + 2, true), view.getUint32(at + 4, true)];
    if (group === 0xfffe && element === SEQUENCE_END) break;
    const [start, end] = [at + ITEM_HEAD, at + ITEM_HEAD + size];
    if (group !== 0xfffe || element !== ITEM) throw damaged('its packed pixels do not begin or go on as they should');
    if (end > last) throw damaged('its packed pixels end early');
    if (items.length > MAX_FRAGMENTS) throw damaged(`its pixels are in more than ${MAX_FRAGMENTS} pieces`);
    if (items.length === 1) first = at;
    items.push({ offset: at - first, start, end });
    at = end;
  }
  const [table, ...fragments] = items;
  if (table === undefined || fragments.length === 0) throw damaged('its packed pixels are missing');
  const offsets = Array.from({ length: (table.end - table.start) >> 2 }, (_, i) => view.getUint32(table.start + 4 * i, true));
  return { table: offsets, fragments };
}

/** The fragments of each frame: one each, or by an offset table, or by image signatures. */
function grouped(
  bytes: Uint8Array,
  set: DataSet,
  { frames, packing, samples, bitsAllocated }: DicomHeader,
  table: readonly number[],
  fragments: readonly Fragment[],
  where: string,
): readonly (readonly Fragment[])[] {
  const full = fragments.filter(({ start, end }) => end > start);
  const begins = (fragment: Fragment, i: number) =>
    i === 0 || beginsImage(bytes, fragment, packing, samples * (bitsAllocated / 8));
  const extended = extendedTable(set);
  const offsets = [extended, table].find(({ length }) => length > 0) ?? [];
  const differ = (count: number, what: string) =>
    new DataError({
      code: 'E_IMAGE_DAMAGED',
      where,
      what: `it has ${count} ${what} for ${frames} frame${frames === 1 ? '' : 's'}`,
      fix:
        count < frames
          ? 'It is damaged or cut off: copy or export it again'
          : 'It holds more frames than NumberOfFrames (0028,0008) says: correct its header or export it again',
    });
  if (fragments.length < frames) throw differ(fragments.length, 'packed pieces');
  if (offsets.length > frames) throw differ(offsets.length, 'entries in its offset table');
  const one = [fragments, full].find(({ length }) => length === frames);
  if (one !== undefined) return one.map((fragment) => [fragment]);
  const starts = new Set(offsets);
  const byTable = split(fragments, ({ offset }) => starts.has(offset));
  if (offsets.length === frames && frames > 1 && byTable.length === frames) return byTable;
  const byBeginning = split(full, begins);
  if (byBeginning.length === frames) return byBeginning;
  throw byBeginning.length > 1 || packing === 'rle'
    ? differ(byBeginning.length, 'packed frames')
    : new DataError({
        code: 'E_IMAGE_DAMAGED',
        where,
        what: 'nothing says where its frames begin',
        fix: 'Export it with a basic offset table',
      });
}

function split(fragments: readonly Fragment[], begins: (fragment: Fragment, i: number) => boolean): Fragment[][] {
  const groups: Fragment[][] = [];
  for (const [i, fragment] of fragments.entries()) {
    if (groups.length === 0 || begins(fragment, i)) groups.push([]);
    groups.at(-1)?.push(fragment);
  }
  return groups;
}

/** The offsets of the Extended Offset Table (7FE0,0001): 64 bits each. */
function extendedTable(set: DataSet): readonly number[] {
  const element = set.elements[EXTENDED_OFFSETS];
  if (element === undefined) return [];
  const bytes = set.byteArray as Uint8Array;
  const view = new DataView(bytes.buffer, bytes.byteOffset + element.dataOffset, element.length);
  return Array.from({ length: element.length >> 3 }, (_, i) => Number(view.getBigUint64(8 * i, true)));
}

/** Whether a fragment can be the first of an image, by its signature. */
function beginsImage(bytes: Uint8Array, { start, end }: Fragment, packing: Packing, planes: number): boolean {
  if (end - start < 12) return false;
  const at = (i: number) => bytes[start + i] as number;
  const is = (...wanted: readonly number[]) => wanted.every((value, i) => at(i) === value);
  if (packing === 'rle') return is(planes, 0, 0, 0, 64, 0, 0, 0);
  if (packing === 'jpeg-2000') return is(0xff, 0x4f, 0xff, 0x51) || is(0, 0, 0, 12, 0x6a, 0x50, 0x20, 0x20);
  return is(0xff, 0xd8, 0xff);
}
