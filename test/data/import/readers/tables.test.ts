import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readSheet } from '../../../../src/data/import/readers/sheet.js';
import { readTable } from '../../../../src/data/import/readers/table.js';
import { DataError } from '../../../../src/util/index.js';
import { makeZip } from '../../../scripts/support/zip.js';
import { expectError } from '../../../support/expect-error.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const dir = temporaryFolder('tables');
let made = 0;

async function workbook(
  sheet: string,
  strings = '<sst/>',
  more: readonly { name: string; data: Buffer }[] = [],
): Promise<string> {
  const file = join(dir, `${made++}.xlsx`);
  const entry = (name: string, text: string) => ({ name, data: Buffer.from(text) });
  const own = [entry('xl/sharedStrings.xml', strings), entry('xl/worksheets/sheet1.xml', sheet)];
  await writeFile(file, makeZip([...own, ...more]));
  return file;
}

const sheet = (rows: string) => `<worksheet><sheetData>${rows}</sheetData></worksheet>`;

describe('a workbook', () => {
  it('is read by its cells’ places, kinds and prefixes, phonetic guides left out', async () => {
    const strings =
      '<x:sst xmlns:x="urn:a"><x:si><x:r><x:t>be</x:t></x:r><x:r><x:t xml:space="preserve">nign </x:t></x:r></x:si><x:si><x:t>肝</x:t><x:rPh sb="0" eb="1"><x:t>カン</x:t></x:rPh></x:si></x:sst>';
    const rows =
      '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="inlineStr"><is><t>a &amp; b &#x41;&#66;</t></is></c></row>' +
      '<row r="2"><c t="s"><v>1</v></c><c><f>1+1</f><v>2</v></c><c r="AA2"><v>7.5</v></c></row><row r="3"/>';
    expect(await readSheet(await workbook(`<?xml version="1.0"?>\n${sheet(rows)}`, strings))).toEqual([
      ['benign ', '', 'a & b AB'],
      ['肝', '2', ...Array(24).fill(''), '7.5'],
      [],
    ]);
  });

  it.each([
    ['a column beyond the last', sheet('<row><c r="ZZZZZZZ1"><v>1</v></c></row>'), /column ZZZZZZZ, beyond XFD/],
    ['the column after the last', sheet('<row><c r="XFE1"><v>1</v></c></row>'), /column XFE, beyond XFD/],
    ['far cells in many rows', sheet('<row><c r="XFD1"><v>1</v></c></row>'.repeat(300)), /more than 4000000 cells/],
    ['deeply nested elements', `${'<row>'.repeat(100_000)}`, /more than 64 deep/],
    ['unclosed elements', sheet('<row><c><v>1</c>'), /its XML is damaged/],
    [
      'a long text',
      sheet(`<row><c t="inlineStr"><is><t>${'ab1,'.repeat(9000)}</t></is></c></row>`),
      /more than 32767 characters/,
    ],
    [
      'recursive entities',
      `<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>${sheet('<row><c><v>&b;</v></c></row>')}`,
      /its XML is damaged: .*undefined entity/i,
    ],
    [
      'an external entity',
      `<!DOCTYPE w [<!ENTITY a SYSTEM "file:///etc/passwd">]>${sheet('<row><c><v>&a;</v></c></row>')}`,
      /damaged/,
    ],
  ])('is refused with %s', async (_name, xml, message) => {
    const file = await workbook(xml);
    const refused = await readTable(file).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(DataError);
    expect((refused as DataError).message).toMatch(message);
    expect((refused as DataError).where).toBe(file);
  });

  it('is refused where it unpacks to far more than it is', async () => {
    const rows = '<row><c><v>1</v></c></row>'.repeat(300_000);
    await expectError(readTable(await workbook(sheet(rows))), {
      code: 'E_TABLE_INVALID',
      what: /bytes of text, packed into \d+: that is no table/,
    });
  });

  it('is refused where a cell’s text is shared by so many that they are too much', async () => {
    const strings = `<sst><si><t>${'x1y2z3'.repeat(5000)}</t></si></sst>`;
    const rows = Array.from({ length: 5000 }, (_, i) => `<row r="${i}"><c t="s"><v>0</v></c></row>`).join('');
    await expectError(readTable(await workbook(sheet(rows), strings)), {
      code: 'E_TABLE_INVALID',
      what: 'more than 100000000 characters',
    });
  });

  it('is refused where it holds thousands of files', async () => {
    const more = Array.from({ length: 10_001 }, (_, i) => ({ name: String(i), data: Buffer.alloc(0) }));
    await expectError(readTable(await workbook(sheet(''), '<sst/>', more)), {
      code: 'E_TABLE_INVALID',
      what: 'it holds 10003 files',
    });
  });

  it('that is invalid, or of the old format, is named', async () => {
    const zip = join(dir, 'other.xlsx');
    await writeFile(zip, makeZip([{ name: 'a.txt', data: Buffer.from('a') }]));
    await expectError(readTable(zip), { code: 'E_TABLE_INVALID', what: 'it is no Excel workbook' });
    await writeFile(zip, Buffer.from('PK\x03\x04 and nothing'));
    await expectError(readTable(zip), { code: 'E_TABLE_INVALID', what: 'cannot be read as an Excel workbook' });
    await writeFile(zip, Buffer.from('d0cf11e0a1b11ae1', 'hex'));
    await expectError(readTable(zip), { code: 'E_TABLE_INVALID', what: /an old format \(\.xls\), or one behind a password/ });
  });
});

describe('a CSV file', () => {
  const table = async (text: string) => {
    const file = join(dir, `${made++}.csv`);
    await writeFile(file, text);
    return readTable(file);
  };

  it('with no cell, or a single letter, is an empty table', async () => {
    expect(await table('')).toEqual([]);
    expect(await table('a')).toEqual([]);
  });

  it('is refused where its header has more columns than a table, or rows and columns multiply', async () => {
    await expectError(table(`${'a,'.repeat(20_000)}b\n1`), { code: 'E_FILE_TOO_LARGE', what: '1 rows of 20001 columns' });
    await expectError(table(`${'a,'.repeat(10_000)}b\n${'1\n'.repeat(3000)}`), {
      code: 'E_FILE_TOO_LARGE',
      what: '3000 rows of 10001 columns',
    });
  });
});
