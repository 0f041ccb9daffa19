import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MIMEType } from 'node:util';
import { Dicer } from '@fastify/busboy';

/** A multipart body that ended before its last boundary, or does not hold exactly one part. */
export class MultipartError extends Error {
  override readonly name = 'MultipartError';
}

/** The type of a body: `essence` in small letters, and the boundary of a multipart one. Undefined if it cannot be parsed. */
export function bodyType(header: string | null): { readonly essence: string; readonly boundary: string | null } | undefined {
  try {
    const { essence, params } = new MIMEType(header ?? '');
    return { essence, boundary: params.get('boundary') };
  } catch {
    return undefined;
  }
}

/**
 * Yields the content of the only part of a multipart body, piece by piece.
 *
 * @throws MultipartError when it is cut off, or has no part or several; errors of the body itself unchanged.
 */
export async function* onlyPart(body: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<Buffer, void> {
  const dicer = new Dicer({ boundary });
  let parts = 0;
  const first = new Promise<Readable>((resolve) => {
    dicer.on('part', (part) => {
      parts += 1;
      // The end is cut off: reported by the parser as a whole too.
      part.on('error', () => {});
      if (parts === 1) resolve(part as unknown as Readable);
      else part.resume();
    });
  });
  let failure: unknown;
  const parsed = pipeline(Readable.from(body, { objectMode: false }), dicer).catch((error: unknown) => {
    failure = error;
  });
  const part = await Promise.race([first, parsed]);
  if (part !== undefined) for await (const piece of part) yield piece as Buffer;
  await parsed;
  if (failure instanceof Error && /multipart/i.test(failure.message))
    throw new MultipartError('it ended before its last boundary', { cause: failure });
  if (failure !== undefined) throw failure;
  if (parts !== 1) throw new MultipartError(`it has ${parts} parts in place of one`);
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
