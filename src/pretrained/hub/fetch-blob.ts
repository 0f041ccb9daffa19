import { join } from 'node:path';
import { etagOf, type HubFile, isIntact } from './digest.js';
import { readableDiskError } from './disk.js';
import { HubError } from './hub-error.js';
import type { HubContext } from './listing.js';
import { PartialFile } from './partial-file.js';
import { receiveRest, type Source, type Tally } from './receive.js';
import { retried } from './retry.js';

/**
 * Fetches a file into a folder of blobs: resumes where an earlier run stopped, verifies the hash of the file on disk, and only
 * then renames it to its final name.
 *
 * @throws HubError naming the expected and the received content, and the fix. The partial file is kept, unless its hash is wrong.
 */
export async function fetchBlob(file: HubFile, from: Source, blobs: string, context: HubContext, tally: Tally): Promise<void> {
  const { pace, report } = context;
  const target = join(blobs, file.etag);
  const isDone = () => isIntact(target, file);
  const onWait = () => report({ kind: 'waiting', file: file.name });
  try {
    const partial = await PartialFile.claim(blobs, file.etag, pace, isDone, onWait);
    if (partial === undefined) return tally(0, -file.size);
    try {
      const before = await partial.size();
      tally(0, -before);
      report({ kind: 'fetching', file: file.name, bytes: file.size, from: before });
      await fetchVerified(file, from, partial, context, tally);
      await partial.become(target);
    } finally {
      await partial.release();
    }
  } catch (error) {
    throw readableDiskError(error, target);
  }
}

/** A wrong hash may come from a bad resume, so the file is fetched once more from the start. */
async function fetchVerified(
  file: HubFile,
  from: Source,
  partial: PartialFile,
  context: HubContext,
  tally: Tally,
): Promise<void> {
  for (let first = true; ; first = false) {
    await fetchAll(file, from, partial, context, tally);
    const etag = await etagOf(partial.path, file);
    if (etag === file.etag) return;
    await partial.remove();
    const what = `expected the checksum ${file.etag}, got ${etag}`;
    if (!first)
      throw new HubError({
        code: 'E_HUB_CHECKSUM',
        where: `${from.label}/${file.name}`,
        what: `${what}, twice`,
        fix: 'It was thrown away. Run it again; if it stays so, use another HF_ENDPOINT or network',
      });
    tally(0, file.size);
    context.report({ kind: 'retry', reason: `${file.name}: ${what}; downloading it again from the start`, waitMs: 0 });
  }
}

/** Fetches the rest of a partial file, over as many connections as it takes. Its content is not verified. */
export async function fetchAll(
  file: HubFile,
  from: Source,
  partial: PartialFile,
  context: HubContext,
  tally: Tally,
): Promise<void> {
  let came = 0;
  const progressed = () => {
    const enough = came >= context.pace.progressBytes;
    if (enough) came = 0;
    return enough;
  };
  const count: Tally = (bytes, lost) => {
    came += bytes;
    tally(bytes, lost);
  };
  await retried(() => receiveRest(file, from, partial, context, count), context.pace, context.report, progressed);
}
