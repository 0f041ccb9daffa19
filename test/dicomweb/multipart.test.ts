import { describe, expect, it } from '@jest/globals';
import { MultipartError, onlyPart, wholeParts } from '../../src/dicomweb/multipart.js';

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
    await expect(partsOf(body, size, 9)).rejects.toThrow(new MultipartError('it has more than 9 bytes'));
    await expect(partsOf(`--${BOUNDARY}--\r\n`, size)).rejects.toThrow(new MultipartError('it has no part'));
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
