import { TryAgain } from '../util/index.js';
import type { AcceptedTypes } from './archive-requests.js';
import type { Answer } from './http.js';
import { BodyTooLong, bodyType, MultipartError, wholeParts } from './multipart.js';
import { tooLarge, unexpected } from './refusals.js';

/** A frame as an archive sends it. */
export interface SentFrame {
  readonly transferSyntax: string;
  /** Compressed, or native samples. */
  readonly bytes: Buffer;
}

/** What to ask for. */
export const frameTypes: AcceptedTypes = {
  stored: 'multipart/related; type="application/octet-stream"; transfer-syntax=*',
  plain: 'multipart/related; type="application/octet-stream"',
};

/** Of parts that name no transfer syntax (PS3.18, table 8.7.3-5). */
const DEFAULTS: Readonly<Record<string, string>> = {
  'application/octet-stream': '1.2.840.10008.1.2.1',
  'image/jpeg': '1.2.840.10008.1.2.4.70',
  'image/dicom-rle': '1.2.840.10008.1.2.5',
  'image/jls': '1.2.840.10008.1.2.4.80',
  'image/jp2': '1.2.840.10008.1.2.4.90',
};

/**
 * Reads the frames in a WADO-RS answer.
 *
 * @param count - frames that were asked for.
 * @param most - bytes that they may have together.
 * @throws TryAgain when it is cut off; DataError when it is something else, or too large.
 */
export async function readFrames(answer: Answer, where: string, count: number, most: number): Promise<SentFrame[]> {
  const type = bodyType(answer.headers.get('content-type'));
  if (type?.essence !== 'multipart/related' || type.boundary === null)
    throw unexpected(where, `expected frames in multipart/related, got ${type?.essence ?? 'no valid content type'}`);
  try {
    const frames: SentFrame[] = [];
    let length = 0;
    for await (const { header, bytes } of wholeParts(answer.pieces(), type.boundary, most)) {
      length += bytes.length;
      const own = bodyType(header('content-type') ?? null);
      const transferSyntax = own?.transferSyntax ?? DEFAULTS[own?.essence ?? ''];
      if (transferSyntax === undefined) throw unexpected(where, `a frame is of the type ${own?.essence ?? '(none)'}`);
      frames.push({ transferSyntax, bytes });
    }
    if (frames.length === count) return frames;
    throw unexpected(where, `expected ${count} frames, got ${frames.length} of ${length} bytes`);
  } catch (error) {
    // Another try would be as long.
    if (error instanceof BodyTooLong) throw tooLarge(where, most);
    if (error instanceof MultipartError)
      throw new TryAgain(unexpected(where, `it did not arrive whole: ${error.message}`, error));
    throw error;
  }
}
