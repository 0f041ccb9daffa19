import { randomBytes } from 'node:crypto';
import { MIMEType } from 'node:util';

/** A multipart body that ended before its last boundary, or does not hold exactly one part. */
export class MultipartError extends Error {
  override readonly name = 'MultipartError';
}

/** A body that has more bytes than may be held. */
export class BodyTooLong extends Error {
  override readonly name = 'BodyTooLong';
}

/** The type of a body or a part. */
interface BodyType {
  /** In small letters. */
  readonly essence: string;
  /** Of a multipart body. */
  readonly boundary: string | null;
  /** Of frames. */
  readonly transferSyntax: string | undefined;
}

/** Parses a content type. Undefined if it cannot be parsed. */
export function bodyType(header: string | null): BodyType | undefined {
  try {
    const { essence, params } = new MIMEType(header ?? '');
    return { essence, boundary: params.get('boundary'), transferSyntax: params.get('transfer-syntax') ?? undefined };
  } catch {
    return undefined;
  }
}

/** Headers of a part at most, in bytes. */
const MOST_HEAD = 64 * 1024;

/**
 * Yields the content of the only part of a multipart body, piece by piece (RFC 2046, 5.1).
 *
 * @throws MultipartError when it is cut off, or has no part or several.
 */
export async function* onlyPart(body: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<Buffer, void> {
  let parts = 0;
  for await (const event of events(body, boundary)) {
    if (event.kind === 'piece') yield event.bytes;
    else parts += 1;
    if (parts > 1) throw new MultipartError('it has more than one part');
  }
}

/** A part in memory. */
interface WholePart {
  /** Its header by a name in small letters. */
  header(name: string): string | undefined;
  readonly bytes: Buffer;
}

/**
 * Yields the parts of a multipart body.
 *
 * @param most - bytes of all together.
 * @throws MultipartError when it is cut off, or has no part; BodyTooLong when it is longer.
 */
export async function* wholeParts(
  body: AsyncIterable<Uint8Array>,
  boundary: string,
  most: number,
): AsyncGenerator<WholePart, void> {
  let head: string | undefined;
  let pieces: Buffer[] = [];
  let length = 0;
  const part = (own: string): WholePart => ({
    header: (name) => new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(own)?.[1]?.trim(),
    bytes: Buffer.concat(pieces),
  });
  for await (const event of events(body, boundary)) {
    if (event.kind === 'head') {
      if (head !== undefined) yield part(head);
      [head, pieces] = [event.text, []];
    } else {
      length += event.bytes.length;
      if (length > most) throw new BodyTooLong(`it has more than ${most} bytes`);
      // Pieces are views into what is read next.
      pieces.push(Buffer.from(event.bytes));
    }
  }
  if (head !== undefined) yield part(head);
}

type PartEvent =
  | { readonly kind: 'head'; readonly text: string }
  /** Of the part whose head came last. */
  | { readonly kind: 'piece'; readonly bytes: Buffer };

/** @throws MultipartError when the body is cut off, or has no part. */
async function* events(body: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<PartEvent, void> {
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  let state: 'before' | 'head' | 'inside' | 'over' = 'before';
  let parts = 0;
  // The first delimiter may begin the body, without a line end before it.
  let held = Buffer.from('\r\n');
  for await (const piece of body) {
    if (state === 'over') continue;
    held = Buffer.concat([held, piece]);
    for (let more = true; more; ) {
      if (state === 'head') {
        const end = held.indexOf('\r\n\r\n');
        if (end < 0 && held.length > MOST_HEAD) throw new MultipartError('a part has too long headers');
        if (end < 0) break;
        yield { kind: 'head', text: held.subarray(0, end).toString('latin1') };
        held = held.subarray(end + 4);
        state = 'inside';
        parts += 1;
      }
      const { at, kind } = findDelimiter(held, delimiter);
      if (state === 'inside' && at > 0) yield { kind: 'piece', bytes: held.subarray(0, at) };
      more = kind === 'next';
      if (kind === 'last') state = 'over';
      else if (kind === 'next') state = 'head';
      held = held.subarray(kind === 'next' ? at + delimiter.length : at);
      if (state === 'over') break;
    }
  }
  if (state !== 'over') throw new MultipartError('it ended before its last boundary');
  if (parts === 0) throw new MultipartError('it has no part');
}

/**
 * Looks for a delimiter.
 *
 * @returns its place and whether it is the last; or the number of bytes that belong to none, if there is not enough to decide.
 */
function findDelimiter(bytes: Buffer, delimiter: Buffer): { readonly at: number; readonly kind: 'next' | 'last' | 'undecided' } {
  for (let from = 0; ; ) {
    const at = bytes.indexOf(delimiter, from);
    if (at < 0) return { at: Math.max(from, bytes.length - delimiter.length + 1), kind: 'undecided' };
    const after = bytes.subarray(at + delimiter.length, at + delimiter.length + 2).toString('latin1');
    if (after.length < 2) return { at, kind: 'undecided' };
    if (after === '--') return { at, kind: 'last' };
    if (after === '\r\n' || /^[ \t]/.test(after)) return { at, kind: 'next' };
    // The beginning of a longer line.
    from = at + 1;
  }
}

/** Joins DICOM files to a body of `multipart/related`. */
export function joinFiles(files: readonly Uint8Array[]): { readonly type: string; readonly bytes: Buffer<ArrayBuffer> } {
  // 192 random bits stand in no file.
  const boundary = `sonoground-${randomBytes(24).toString('hex')}`;
  const parts = files.flatMap((file) => [
    Buffer.from(`--${boundary}\r\ncontent-type: application/dicom\r\n\r\n`),
    file,
    Buffer.from('\r\n'),
  ]);
  return {
    type: `multipart/related; type="application/dicom"; boundary=${boundary}`,
    bytes: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]),
  };
}
