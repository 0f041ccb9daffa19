import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { TryAgain } from '../../util/index.js';
import type { HubFile } from './digest.js';
import { type Answer, request } from './http.js';
import { HubError } from './hub-error.js';
import type { HubContext } from './listing.js';
import type { PartialFile } from './partial-file.js';
import { mayPass, requireSuccess } from './refusals.js';

/** Called with the number of bytes received, and of earlier bytes discarded. */
export type Tally = (came: number, lost: number) => void;

/** Source of files. */
export interface Source {
  /** In messages: a repository, or the name of a file. */
  readonly label: string;
  /** The URL of a file's content. */
  address(name: string): string;
}

/**
 * Fetches the missing rest of a partial file in one request, and syncs it to disk.
 *
 * @throws TryAgain when the connection breaks; HubError when the server contradicts the listing.
 */
export async function receiveRest(
  file: HubFile,
  from: Source,
  partial: PartialFile,
  context: HubContext,
  tally: Tally,
): Promise<void> {
  const { settings, pace } = context;
  const where = `${from.label}/${file.name}`;
  // Written at explicit offsets, never appended: should another process write the same file, both write the same bytes.
  const disk = await open(partial.path, constants.O_RDWR | constants.O_CREAT);
  try {
    let have = (await disk.stat()).size;
    if (have > file.size) have = await startOver(disk, have, tally);
    if (have === file.size) return;
    const headers = have > 0 ? { range: `bytes=${have}-` } : {};
    const answer = await request(from.address(file.name), settings, pace, { headers });
    try {
      if (answer.response.status === 416) {
        await startOver(disk, have, tally);
        throw new TryAgain(contradiction(where, `bytes from ${have} on`, 'no such range (416)'));
      }
      requireSuccess(where, from.label, answer, settings);
      if (answer.response.status !== 206 && have > 0) have = await startOver(disk, have, tally);
      requireLengths(where, file, have, answer);
      await write(disk, where, file, have, answer, tally);
    } finally {
      answer.close();
    }
    await disk.sync();
  } catch (failure) {
    throw mayPass(where, failure);
  } finally {
    await disk.close();
  }
}

async function startOver(disk: FileHandle, lost: number, tally: Tally): Promise<0> {
  await disk.truncate(0);
  tally(0, lost);
  return 0;
}

/** Compares the lengths in the headers with the listing, before anything is written. */
function requireLengths(where: string, { size }: HubFile, have: number, { response }: Answer): void {
  const range = response.headers.get('content-range');
  if (response.status === 206) {
    const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(range ?? '') ?? [];
    if (Number(first) !== have || Number(last) >= size || (total !== '*' && Number(total) !== size))
      throw contradiction(where, `bytes ${have}-${size - 1}/${size}`, `Content-Range ${JSON.stringify(range)}`);
  }
  const length = response.headers.get('content-length');
  const encoded = (response.headers.get('content-encoding') ?? 'identity') !== 'identity';
  // A partial range is acceptable: the rest is requested again.
  const wrong = response.status === 206 ? Number(length) > size - have : Number(length) !== size;
  if (length !== null && !encoded && wrong)
    throw contradiction(where, `${size - have} bytes as in the listing`, `an answer of ${length} bytes`);
}

async function write(
  disk: FileHandle,
  where: string,
  { size }: HubFile,
  from: number,
  answer: Answer,
  tally: Tally,
): Promise<void> {
  let at = from;
  for await (const piece of answer.pieces()) {
    if (at + piece.length > size) throw contradiction(where, `${size} bytes as in the listing`, `more than that`);
    for (let done = 0; done < piece.length; ) {
      const { bytesWritten } = await disk.write(piece, done, piece.length - done, at);
      done += bytesWritten;
      at += bytesWritten;
    }
    tally(piece.length, 0);
  }
  if (at < size) throw new TryAgain(contradiction(where, `${size} bytes as in the listing`, `${at}, then the end`));
}

function contradiction(where: string, expected: string, got: string): HubError {
  return new HubError({
    code: 'E_HUB_INTERRUPTED',
    where,
    what: `expected ${expected}, got ${got}`,
    fix: 'Run it again; if it stays so, use another HF_ENDPOINT',
  });
}
