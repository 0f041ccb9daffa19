import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

/** A file of a commit, with its expected size and hash. */
export interface HubFile {
  /** Path in the repository, with slashes. */
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
  /** The etag, which names the blob in the cache: 64 digits are the SHA-256 of the content, 40 its SHA-1 as a git blob. */
  readonly etag: string;
}

/** Whether a text is a verifiable etag. */
export function isEtag(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** Computes a file's etag from its content on disk. */
export async function etagOf(path: string, { size, etag }: HubFile): Promise<string> {
  const hash = createHash(etag.length === 64 ? 'sha256' : 'sha1');
  if (etag.length === 40) hash.update(`blob ${size}\0`);
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** Whether a path, following links, has the file's size and hash. */
export async function isIntact(path: string, file: HubFile): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true && found.size === file.size && (await etagOf(path, file)) === file.etag;
}
