import type { ByteStream, DataSet } from 'dicom-parser';
import { inflateDataSet } from '#platform/imaging/formats/dicom/inflate';
import { DataError } from '../../../util/index.js';
import { isDicom, isLongKind, namesItsKind } from './begins.js';
import { BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT } from './transfer-syntax.js';

type Parser = typeof import('dicom-parser') & {
  /** Missing from the package's types. */
  readonly DataSet: new (
    parser: ByteStream['byteArrayParser'],
    bytes: Uint8Array,
    elements: object,
  ) => DataSet;
};

export const PIXELS = 'x7fe00010';

const PREAMBLE = 132;
const META = 'x00020010';

/**
 * Parses a file's elements up to the pixel data, which is not parsed.
 *
 * @param most - maximum size of an inflated file in bytes.
 * @throws whatever the parser throws for damaged files: strings, errors, and records of both.
 */
export async function readDataSet(
  bytes: Uint8Array,
  most: number,
  where: string,
): Promise<{ readonly set: DataSet; readonly syntax: string }> {
  const parser = (await import('dicom-parser')).default as unknown as Parser;
  const meta = readMeta(parser, bytes);
  const stated = meta.set.string(META)?.trim();
  const deflated = stated === DEFLATED;
  const body = deflated ? inflated(bytes.subarray(meta.end), most, where) : bytes;
  const start = deflated ? 0 : meta.end;
  // Some files are not encoded as stated; old ones state nothing.
  const explicit = stated === BIG_ENDIAN || namesItsKind(body, start);
  const order = stated === BIG_ENDIAN ? parser.bigEndianByteArrayParser : parser.littleEndianByteArrayParser;
  const stream = streamOf(parser, order, body, start);
  const set = new parser.DataSet(order, body, {});
  const read = explicit ? parser.parseDicomDataSetExplicit : parser.parseDicomDataSetImplicit;
  read(set, stream, body.length, { untilTag: PIXELS });
  return { set, syntax: stated ?? (explicit ? EXPLICIT : IMPLICIT) };
}

/** Reads group 2, which is explicit little-endian in all files. */
function readMeta(parser: Parser, bytes: Uint8Array): { readonly set: DataSet; readonly end: number } {
  const order = parser.littleEndianByteArrayParser;
  const stream = streamOf(parser, order, bytes, isDicom(bytes) ? PREAMBLE : 0);
  const elements: Record<string, unknown> = {};
  while (stream.position + 8 <= bytes.length && order.readUint16(bytes, stream.position) === 2) {
    const element = parser.readDicomElementExplicit(stream);
    elements[element.tag] = element;
  }
  return { set: new parser.DataSet(order, bytes, elements), end: stream.position };
}

/**
 * A stream that presents VRs unknown to the parser (OV, SV, UV and later ones) as UN: the parser would read their lengths at the
 * wrong offset.
 */
function streamOf(parser: Parser, order: ByteStream['byteArrayParser'], bytes: Uint8Array, position: number): ByteStream {
  const stream = new parser.ByteStream(order, bytes, position);
  const read = stream.readFixedString.bind(stream);
  stream.readFixedString = (length: number) => {
    const text = read(length);
    return length === 2 && isLongKind(text) && !KNOWN.has(text) ? 'UN' : text;
  };
  return stream;
}

/** VRs whose length the parser reads as four bytes. */
const KNOWN = new Set('OB OD OF OL OW SQ UC UN UR UT'.split(' '));

function inflated(packed: Uint8Array, most: number, where: string): Uint8Array {
  try {
    return inflateDataSet(packed, most);
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_BUFFER_TOO_LARGE') throw cause;
    throw new DataError({
      code: 'E_IMAGE_TOO_LARGE',
      where,
      what: `it unpacks to more than ${Math.round(most / 1e6)} MB`,
      fix: 'Check the file, or export it uncompressed or as fewer frames',
      cause,
    });
  }
}
