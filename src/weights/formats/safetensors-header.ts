import { shown, shownName, shownShape, sizeOf } from '../../util/index.js';
import { elementBytesOf } from './elements.js';
import { damaged } from './file-bytes.js';

/** A tensor's entry in the header. */
export interface StoredTensor {
  /** As in the file; only those of `StoredDtype` can be read. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First byte and the byte after the last, relative to the end of the header. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The format's own limit. */
const MAX_HEADER_BYTES = 100_000_000;

/** Maximum length of a tensor's name. */
const MAX_NAME = 1000;

/** Higher than the rank limit of any library. */
const MAX_AXES = 64;

/** The length of the header, from the first eight bytes of a file. */
export function headerLength(path: string, first: Uint8Array, fileBytes: number): number {
  if (first.length < 8) throw damaged(path, `the file has ${fileBytes} bytes, too few for a safetensors file`);
  const length = Buffer.from(first.buffer, first.byteOffset, 8).readBigUInt64LE();
  if (length > BigInt(fileBytes - 8)) throw damaged(path, 'the header is longer than the file');
  if (length > BigInt(MAX_HEADER_BYTES)) throw damaged(path, 'the header is longer than the format allows');
  return Number(length);
}

/**
 * Parses and validates a header: valid JSON with unique names, and tensors that fill the rest of the file without gap or overlap.
 *
 * @param bodyBytes - number of bytes after the header.
 * @throws CheckpointError naming the file and the problem.
 */
export function parseHeader(path: string, bytes: Uint8Array, bodyBytes: number): SafetensorsHeader {
  const json = parseJson(path, bytes);
  const tensors = new Map<string, StoredTensor>();
  let metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(json)) {
    if (name.length > MAX_NAME) throw damaged(path, `a tensor has a name of ${name.length} characters: ${shown(name)}`);
    if (name === '__metadata__') metadata = parseMetadata(path, entry);
    else tensors.set(name, parseEntry(path, name, entry));
  }
  checkCover(path, tensors, bodyBytes);
  return { tensors, metadata };
}

function parseJson(path: string, bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw damaged(path, 'the header is not UTF-8', cause);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw damaged(path, 'the header is not JSON', cause);
  }
  if (!isRecord(json)) throw damaged(path, 'the header is not an object');
  const repeated = repeatedKey(text);
  if (repeated !== undefined) throw damaged(path, `${shownName(repeated)} is there twice`);
  return json;
}

/** A duplicate key in the outermost object of valid JSON. `JSON.parse` silently keeps the last one. */
function repeatedKey(json: string): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  let key = '';
  for (let i = 0; i < json.length; i++) {
    switch (json[i]) {
      case '{':
      case '[':
        depth += 1;
        break;
      case '}':
      case ']':
        depth -= 1;
        break;
      case '"': {
        const end = endOfText(json, i);
        if (depth === 1) key = json.slice(i, end);
        i = end - 1;
        break;
      }
      // Outside strings, a colon of the outermost object follows one of its keys.
      case ':': {
        if (depth !== 1) break;
        const name = JSON.parse(key) as string;
        if (seen.has(name)) return name;
        seen.add(name);
      }
    }
  }
  return undefined;
}

/** The position after a string's closing quote. */
function endOfText(json: string, start: number): number {
  let i = start + 1;
  while (json[i] !== '"') i += json[i] === '\\' ? 2 : 1;
  return i + 1;
}

function parseMetadata(path: string, entry: unknown): Record<string, string> {
  if (isRecord(entry) && Object.values(entry).every((value) => typeof value === 'string')) return entry as Record<string, string>;
  throw damaged(path, '__metadata__ is not a table of texts');
}

function parseEntry(path: string, key: string, entry: unknown): StoredTensor {
  const name = shownName(key);
  if (!isRecord(entry)) throw damaged(path, `${name} is not described`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string') throw damaged(path, `${name} has no element type`);
  if (!isCounts(shape) || shape.length > MAX_AXES) throw damaged(path, `${name} has no valid shape`);
  if (!isCounts(offsets) || offsets.length !== 2) throw damaged(path, `${name} has no valid offsets`);
  const [begin, end] = offsets as [number, number];
  const elementBytes = elementBytesOf(dtype);
  const expected = sizeOf(shape) * (elementBytes ?? 0);
  if (!Number.isSafeInteger(expected)) throw damaged(path, `${name} has more elements than can be counted`);
  if (begin > end || (elementBytes !== undefined && end - begin !== expected)) {
    throw damaged(
      path,
      `${name} is ${shownName(dtype)} ${shownShape(shape)}, which takes ${expected} bytes, but has ${end - begin}`,
    );
  }
  return { dtype, shape, begin, end };
}

function checkCover(path: string, tensors: ReadonlyMap<string, StoredTensor>, bodyBytes: number): void {
  let covered = 0;
  let before = 'the header';
  for (const [key, { begin, end }] of [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    const name = shownName(key);
    if (end > bodyBytes) throw damaged(path, `${name} ends after the file does`);
    if (begin < covered) throw damaged(path, `${name} overlaps ${before}`);
    if (begin > covered) throw damaged(path, `there are ${begin - covered} unclaimed bytes before ${name}`);
    covered = end;
    before = name;
  }
  if (covered !== bodyBytes) throw damaged(path, `there are ${bodyBytes - covered} unclaimed bytes at the end`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}
