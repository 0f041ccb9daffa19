import { randomBytes } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { DataError, readableFileError } from '../util/index.js';
import { KEY_BYTES } from './pseudonyms.js';

/**
 * Reads the key of pseudonyms, or makes one: with the same key, later runs give the same identifiers. Only its owner may read it.
 *
 * @throws DataError when the file holds something else.
 */
export async function readOrMakeKey(file: string): Promise<Uint8Array> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw unusable(file, cause);
  });
  if (text === undefined) return makeKey(file);
  if (!new RegExp(`^[0-9a-f]{${2 * KEY_BYTES}}\\s*$`).test(text)) throw unusable(file, undefined);
  return Buffer.from(text.trim(), 'hex');
}

async function makeKey(path: string): Promise<Uint8Array> {
  const key = randomBytes(KEY_BYTES);
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(`${key.toString('hex')}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw readableFileError(path, cause);
  }
  return key;
}

function unusable(file: string, cause: unknown): DataError {
  return new DataError({
    code: 'E_DEIDENTIFY_KEY',
    where: file,
    what: `it is no key: ${2 * KEY_BYTES} hexadecimal digits were expected`,
    fix: 'Name the key file of an earlier run, or a file that does not exist yet',
    cause,
  });
}
