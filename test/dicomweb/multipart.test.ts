import { describe, expect, it } from '@jest/globals';
import { readFrames } from '../../src/dicomweb/frames.js';
import { BodyTooLong, MultipartError, onlyPart, wholeParts } from '../../src/dicomweb/multipart.js';
import { TryAgain } from '../../src/util/index.js';
import { expectError } from '../support/expect-error.js';

const BOUNDARY = 'edge';
const part = (type: string, content: string) => `--${BOUNDARY}\r\nContent-Type: ${type}\r\nX: y\r\n\r\n${content}\r\n`;
const body = `${part('image/jls; transfer-syntax=1.2', 'one\r\n--edg')}${part('image/jpeg', '')}--${BOUNDARY}--\r\n`;

/** In pieces of so many bytes. */
async function* inPieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < text.length; i += size) yield Buffer.from(text.slice(i, i + size), 'latin1');
}

async function partsOf(text: string, size: number, most = 1000) {
  const parts: [string | undefined, string][] = [];
  for await (const { header, bytes } of wholeParts(inPieces(text, size), BOUNDARY, most))
    parts.push([header('content-type'), bytes.toString('latin1')]);
  return parts;
}

describe('the parts of a multipart body', () => {
  it.each([1, 7, 1000])('are the same in pieces of %i bytes', async (size) => {
    expect(await partsOf(body, size)).toEqual([
      ['image/jls; transfer-syntax=1.2', 'one\r\n--edg'],
      ['image/jpeg', ''],
    ]);
  });

  it.each([1, 1000])('are refused when they are cut off, too long or none, in pieces of %i bytes', async (size) => {
    await expect(partsOf(body.slice(0, -6), size)).rejects.toThrow(new MultipartError('it ended before its last boundary'));
    await expect(partsOf(body, size, 9)).rejects.toThrow(new BodyTooLong('it has more than 9 bytes'));
    await expect(partsOf(`--${BOUNDARY}--\r\n`, size)).rejects.toThrow(new MultipartError('it has no part'));
  });

  it('as frames: are asked for again when they are cut off, but not when they are too long', async () => {
    const read = (text: string, most: number) => {
      const headers = new Headers({ 'content-type': `multipart/related; boundary=${BOUNDARY}` });
      const answer = { status: 200, headers, pieces: () => inPieces(text, 9), text: async () => text, close: () => {} };
      return readFrames(answer as Parameters<typeof readFrames>[0], 'frames', 2, most);
    };
    expect(await read(body, 1000)).toMatchObject([{ transferSyntax: '1.2' }, { transferSyntax: '1.2.840.10008.1.2.4.70' }]);
    await expect(read(body.slice(0, -6), 1000)).rejects.toBeInstanceOf(TryAgain);
    await expectError(read(body, 9), { code: 'E_FILE_TOO_LARGE', where: 'frames', what: 'it has more than' });
  });

  it('are one where one is expected', async () => {
    const read = async (text: string) => {
      let content = '';
      for await (const piece of onlyPart(inPieces(text, 3), BOUNDARY)) content += piece.toString('latin1');
      return content;
    };
    expect(await read(`${part('a/b', 'whole')}--${BOUNDARY}--`)).toBe('whole');
    await expect(read(body)).rejects.toThrow(new MultipartError('it has more than one part'));
  });
});
