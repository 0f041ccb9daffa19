/** Logits beyond this are certain. */
const LARGEST_LOGIT = 32;

/** Steps of the packed scale, which is fine near 0 and coarse where the sign is certain. */
const STEPS = 24;

/**
 * Packs mask logits in one compressed byte each: about a tenth of a step near the outline, where a mask is decided, and a twentieth of
 * the value elsewhere. Logits are limited to ±{@link LARGEST_LOGIT}.
 */
export async function packLogits(logits: Float32Array): Promise<Uint8Array> {
  const bytes = Uint8Array.from(logits, (x) => 128 + Math.round(Math.asinh(limited(x)) * STEPS));
  return through(bytes, new CompressionStream('deflate-raw'));
}

/** Reverses {@link packLogits}. */
export async function unpackLogits(packed: Uint8Array): Promise<Float32Array> {
  const bytes = await through(packed, new DecompressionStream('deflate-raw'));
  return Float32Array.from(bytes, (byte) => Math.sinh((byte - 128) / STEPS));
}

/** A logit in ±{@link LARGEST_LOGIT}. */
export function limited(logit: number): number {
  return Math.min(Math.max(logit, -LARGEST_LOGIT), LARGEST_LOGIT);
}

async function through(bytes: Uint8Array, transform: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(transform);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
