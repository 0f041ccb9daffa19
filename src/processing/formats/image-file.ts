import { readFile } from 'node:fs/promises';
import { DataError } from '../../util/index.js';

/** The bytes of an image file, or an error that names it. */
export async function readImageFile(source: string | Buffer): Promise<Buffer> {
  if (typeof source !== 'string') return source;
  return readFile(source).catch((cause: NodeJS.ErrnoException) => {
    const what = cause.code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${cause.code})`;
    throw new DataError({ where: source, what, fix: 'Check the path', cause });
  });
}
