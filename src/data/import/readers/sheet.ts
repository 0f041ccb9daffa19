import type { Readable } from 'node:stream';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { DataError } from '../../../util/index.js';
import { SheetError } from './sheet-error.js';
import { SharedStrings, SheetCells, type XmlReader } from './sheet-xml.js';

/** Maximum size of a workbook part in bytes of text. */
const MAX_BYTES = 50_000_000;

/** Maximum compression ratio, and the size from which it applies: tables with repetitive rows compress well. */
const MAX_RATIO = { ratio: 200, from: 1_000_000 };

/** Maximum number of files in the archive; a workbook has a few dozen. */
const MAX_ENTRIES = 10_000;

const SHEET = /^xl\/worksheets\/sheet(\d+)\.xml$/;
const STRINGS = 'xl/sharedStrings.xml';

/**
 * Reads the cells of the first sheet of an Excel workbook as text, row by row; empty cells are ''. Workbooks are untrusted: zip
 * bombs, deep nesting and cells beyond Excel's limits are refused before they cost time or memory.
 *
 * @throws DataError naming the file when it is not a workbook, or one of those.
 * @see ECMA-376, part 1, 18.3 (worksheets) and 18.4 (shared strings)
 */
export async function readSheet(file: string): Promise<string[][]> {
  let zip: ZipFile | undefined;
  try {
    zip = await openPromise(file, { lazyEntries: true, autoClose: false });
    const { sheet, strings } = await partsOf(zip);
    if (sheet === undefined) throw new SheetError('it is no Excel workbook');
    const shared = new SharedStrings();
    if (strings !== undefined) await read(zip, strings, shared);
    const cells = new SheetCells(shared.strings);
    await read(zip, sheet, cells);
    return cells.rows;
  } catch (cause) {
    const what = cause instanceof SheetError ? cause.message : 'it cannot be read as an Excel workbook';
    throw new DataError({ code: 'E_TABLE_INVALID', where: file, what, fix: 'Save the table as .csv', cause });
  } finally {
    zip?.close();
  }
}

/** The first sheet by number, and the shared strings. */
async function partsOf(zip: ZipFile): Promise<{ readonly sheet: Entry | undefined; readonly strings: Entry | undefined }> {
  if (zip.entryCount > MAX_ENTRIES) throw new SheetError(`it holds ${zip.entryCount} files, which no workbook does`);
  let sheet: Entry | undefined;
  let strings: Entry | undefined;
  const numberOf = (entry: Entry) => Number(SHEET.exec(entry.fileName)?.[1]);
  for await (const entry of zip.eachEntry() as AsyncIterable<Entry>) {
    if (entry.fileName === STRINGS) strings = entry;
    if (SHEET.test(entry.fileName) && (sheet === undefined || numberOf(entry) < numberOf(sheet))) sheet = entry;
  }
  return { sheet, strings };
}

async function read(zip: ZipFile, entry: Entry, reader: XmlReader): Promise<void> {
  const { uncompressedSize, compressedSize, fileName } = entry;
  const text = `${fileName} in it holds ${uncompressedSize} bytes of text`;
  if (uncompressedSize > MAX_BYTES) throw new SheetError(`${text}, more than the ${MAX_BYTES} that are read`);
  if (uncompressedSize > MAX_RATIO.from && uncompressedSize > MAX_RATIO.ratio * compressedSize)
    throw new SheetError(`${text}, packed into ${compressedSize}: that is no table`);
  // The stream fails if the data exceeds the size declared in the archive.
  const stream: Readable = await zip.openReadStreamPromise(entry);
  const decoder = new TextDecoder();
  for await (const chunk of stream) reader.write(decoder.decode(chunk as Buffer, { stream: true }));
  reader.end();
}
