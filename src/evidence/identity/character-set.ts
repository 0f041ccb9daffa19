import { DataError } from '../../util/index.js';

/** Encodings by the defined terms of Specific Character Set (PS3.3, C.12.1.1.2), without `ISO 2022 IR` or `ISO_IR`. */
const ENCODINGS: Readonly<Record<string, string>> = {
  '6': 'latin1',
  '100': 'latin1',
  '101': 'iso-8859-2',
  '109': 'iso-8859-3',
  '110': 'iso-8859-4',
  '144': 'iso-8859-5',
  '127': 'iso-8859-6',
  '126': 'iso-8859-7',
  '138': 'iso-8859-8',
  '148': 'iso-8859-9',
  '203': 'iso-8859-15',
  '13': 'shift_jis',
  '166': 'windows-874',
  '87': 'iso-2022-jp',
  '159': 'iso-2022-jp',
  '149': 'euc-kr',
  '58': 'gb18030',
  '192': 'utf-8',
};

const BY_NAME: Readonly<Record<string, string>> = { GB18030: 'gb18030', GBK: 'gbk' };

/** Escape sequences that select Korean or Chinese characters, which `TextDecoder` does not know. */
const SELECTIONS = ['\u001b$)A', '\u001b$)C'];

/**
 * A decoder of the texts of a file, by its Specific Character Set. Of several, that with multi-byte characters decides.
 *
 * @param stated - values separated by backslashes; empty for ASCII.
 * @throws DataError naming the file for character sets that are not read, and when a text is not in it.
 */
export function textDecoderOf(stated: string, where: string): (bytes: Uint8Array) => string {
  const terms = stated
    .split('\\')
    .map((term) => term.trim())
    .filter((term) => term !== '');
  const encodings = terms.map((term) => encodingOf(term, where));
  const encoding = encodings.find((name) => !/^(latin1|iso-8859)/.test(name)) ?? encodings.at(-1) ?? 'latin1';
  const decoder = new TextDecoder(encoding, { fatal: true });
  return (bytes) => {
    const plain = /^(euc-kr|gb18030)$/.test(encoding) ? withoutSelection(bytes) : bytes;
    try {
      return decoder.decode(plain);
    } catch (cause) {
      throw new DataError({
        code: 'E_DICOM_TEXT',
        where,
        what: `a text of its patient or study is not in the character set that it states, ${terms.join('\\')}`,
        fix: 'Correct its Specific Character Set (0008,0005), or leave out --keep-identity',
        cause,
      });
    }
  };
}

function encodingOf(term: string, where: string): string {
  const number = /^ISO[_ ](?:2022 )?IR (\d+)$/.exec(term)?.[1];
  const name = (number === undefined ? BY_NAME : ENCODINGS)[number ?? term];
  if (name !== undefined) return name;
  throw new DataError({
    code: 'E_DICOM_TEXT',
    where,
    what: `its character set ${/^[\w .-]{1,16}$/.test(term) ? term : '(invalid)'} is not read`,
    fix: 'Leave out --keep-identity, or convert the file to UTF-8 (ISO_IR 192)',
  });
}

function withoutSelection(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1');
  return Buffer.from(
    SELECTIONS.reduce((rest, selection) => rest.replaceAll(selection, ''), text),
    'latin1',
  );
}
