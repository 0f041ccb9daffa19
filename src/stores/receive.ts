/** A body that ended early, or was damaged on its way. */
export class CutOffError extends Error {
  override readonly name = 'CutOffError';
}

/**
 * Collects a body in memory.
 *
 * @param stated - its announced length, if any.
 * @param idleMs - how long to wait for the next bytes.
 * @throws CutOffError when it breaks off, stops arriving, or has another length or checksum.
 */
export async function receive(
  body: AsyncIterable<Uint8Array>,
  { stated, idleMs }: { readonly stated: number | undefined; readonly idleMs: number },
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const parts = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await inTime(parts.next(), idleMs);
      if (done) break;
      chunks.push(value);
      length += value.length;
      if (stated !== undefined && length > stated) break;
    }
  } catch (cause) {
    // The SDK checks the checksum at the end.
    throw new CutOffError((cause as Error).message, { cause });
  }
  if (stated !== undefined && length !== stated) throw new CutOffError(`${length} of ${stated} bytes`);
  return Buffer.concat(chunks, length);
}

async function inTime<T>(next: Promise<T>, idleMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new CutOffError(`nothing more came for ${idleMs / 1000} s`)), idleMs);
  });
  try {
    return await Promise.race([next, late]);
  } finally {
    clearTimeout(timer);
  }
}
