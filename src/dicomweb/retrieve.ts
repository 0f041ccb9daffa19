import { TryAgain, writeFileAtomic } from '../util/index.js';
import type { AcceptedTypes } from './archive-requests.js';
import type { Answer } from './http.js';
import { bodyType, MultipartError, onlyPart } from './multipart.js';
import { tooLarge, unexpected } from './refusals.js';

/** What to ask for. */
export const instanceTypes: AcceptedTypes = {
  stored: 'multipart/related; type="application/dicom"; transfer-syntax=*',
  plain: 'multipart/related; type="application/dicom"',
};

/**
 * The pieces of the DICOM file in a WADO-RS answer. Archives send a multipart body of one part; a bare DICOM file is taken too.
 *
 * @param where - the instance, for messages.
 * @param most - bytes that it may have.
 * @throws TryAgain when it is cut off; DataError when it is something else, or too large.
 */
async function* piecesOf(answer: Answer, where: string, most: number): AsyncGenerator<Uint8Array, void> {
  const type = bodyType(answer.headers.get('content-type'));
  if (Number(answer.headers.get('content-length') ?? 0) > most) throw tooLarge(where, most);
  const boundary = type?.essence === 'multipart/related' ? type.boundary : null;
  if (boundary === null && type?.essence !== 'application/dicom')
    throw unexpected(where, `expected application/dicom in multipart/related, got ${type?.essence ?? 'no valid content type'}`);
  let length = 0;
  let head = Buffer.alloc(0);
  try {
    for await (const piece of boundary === null ? answer.pieces() : onlyPart(answer.pieces(), boundary)) {
      length += piece.length;
      if (length > most) throw tooLarge(where, most);
      if (head.length < HEAD) head = Buffer.concat([head, piece.subarray(0, HEAD)]);
      yield piece;
    }
  } catch (error) {
    if (error instanceof MultipartError)
      throw new TryAgain(unexpected(where, `it did not arrive whole: ${error.message}`, error));
    throw error;
  }
  if (head.subarray(HEAD - 4, HEAD).toString('latin1') !== 'DICM')
    throw unexpected(where, `expected a DICOM file, got ${length} other bytes`);
}

/** Writes the file in an answer, atomically. @throws as {@link piecesOf}, and SonogroundError when the disk does not take it. */
export function saveInstance(answer: Answer, path: string, where: string, most: number): Promise<void> {
  return writeFileAtomic(path, async (file) => {
    for await (const piece of piecesOf(answer, where, most)) await file.write(piece);
  });
}

/** Reads the file in an answer into memory. @throws as {@link piecesOf}. */
export async function readInstance(answer: Answer, where: string, most: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of piecesOf(answer, where, most)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Preamble and prefix of a DICOM file, in bytes. */
const HEAD = 132;
