import { text } from 'node:stream/consumers';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { DataError } from '../../../util/index.js';

/** Bytes of text above which a part of a workbook is refused. */
const MAX_BYTES = 50_000_000;

/**
 * The cells of the first sheet of an Excel workbook, as text, row by row; what is empty is ''.
 *
 * @throws DataError naming the file when it is no workbook.
 * @see ECMA-376, part 1, 18.3 (worksheets) and 18.4 (shared strings)
 */
export async function readSheet(file: string): Promise<string[][]> {
  const parts = await readParts(file);
  const sheet = [...parts].filter(([name]) => /^xl\/worksheets\/sheet\d+\.xml$/.test(name)).sort(byNumber)[0]?.[1];
  if (sheet === undefined)
    throw new DataError({ where: file, what: 'it is no Excel workbook', fix: 'Save the table as .xlsx or .csv' });
  const strings = [...elements(parts.get('xl/sharedStrings.xml') ?? '', 'si')].map(({ inner }) => textOf(inner));
  return [...elements(sheet, 'row')].map(({ inner }) => cellsOf(inner, strings));
}

function byNumber([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return Number(/\d+/.exec(a)?.[0]) - Number(/\d+/.exec(b)?.[0]);
}

async function readParts(file: string): Promise<Map<string, string>> {
  const parts = new Map<string, string>();
  let zip: ZipFile | undefined;
  try {
    zip = await openPromise(file, { lazyEntries: true });
    for await (const entry of zip.eachEntry() as AsyncIterable<Entry>) {
      const name = entry.fileName;
      if (!/^xl\/(worksheets\/sheet\d+|sharedStrings)\.xml$/.test(name)) continue;
      if (entry.uncompressedSize > MAX_BYTES) throw new Error('it is too large');
      parts.set(name, await text(await zip.openReadStreamPromise(entry)));
    }
    return parts;
  } catch (cause) {
    throw new DataError({ where: file, what: 'it cannot be read as an Excel workbook', fix: 'Save the table as .csv', cause });
  } finally {
    zip?.close();
  }
}

function cellsOf(row: string, strings: readonly string[]): string[] {
  const cells: string[] = [];
  for (const { attributes, inner } of elements(row, 'c')) {
    const at = columnOf(/\br="([A-Z]+)\d*"/.exec(attributes)?.[1]) ?? cells.length;
    while (cells.length < at) cells.push('');
    cells[at] = cellValue(/\bt="(\w+)"/.exec(attributes)?.[1], inner, strings);
  }
  return cells;
}

function cellValue(type: string | undefined, cell: string, strings: readonly string[]): string {
  if (type === 'inlineStr') return textOf(cell);
  const [value] = [...elements(cell, 'v')].map(({ inner }) => unescaped(inner));
  return type === 's' ? (strings[Number(value)] ?? '') : (value ?? '');
}

/** A is 0, Z 25, AA 26. */
function columnOf(letters: string | undefined): number | undefined {
  return letters === undefined ? undefined : [...letters].reduce((n, letter) => n * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}

/** The runs of a text, without the phonetic guides of East Asian ones. */
function textOf(xml: string): string {
  const own = xml.replace(/<(?:\w+:)?rPh\b.*?<\/(?:\w+:)?rPh>/gs, '');
  return [...elements(own, 't')].map(({ inner }) => unescaped(inner)).join('');
}

/** Elements of a name that does not nest in itself, with or without a prefix. */
function* elements(xml: string, name: string): Generator<{ readonly attributes: string; readonly inner: string }> {
  const pattern = new RegExp(`<(?:\\w+:)?${name}(\\s[^>]*?)?(?:/>|>(.*?)</(?:\\w+:)?${name}>)`, 'gs');
  for (const match of xml.matchAll(pattern)) yield { attributes: match[1] ?? '', inner: match[2] ?? '' };
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(xml: string): string {
  return xml.replace(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return ENTITIES[name as string] ?? whole;
  });
}
