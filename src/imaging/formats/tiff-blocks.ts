import { inflateSync } from 'node:zlib';

/**
 * Decompressors for the strips and tiles of a TIFF that stop at the block size stated by the page's header: those of the library
 * decompress everything, so that a small file can exhaust memory. The last strip may be shorter.
 *
 * @see TIFF 6.0, sections 9 (PackBits) and 13 (LZW)
 */

/** Inflates deflate. */
export function unpackDeflate(packed: Uint8Array, size: number): Uint8Array {
  return inflateSync(packed, { maxOutputLength: Math.max(1, size) });
}

/** Decompresses PackBits: literals and repeated bytes. */
export function unpackPackBits(packed: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  let to = 0;
  for (let at = 0; at < packed.length && to < size; ) {
    const head = packed[at++] as number;
    if (head === 128) continue;
    // Truncated data is not zero-filled: fewer bytes are returned.
    const length = Math.min(size - to, head < 128 ? Math.min(head + 1, packed.length - at) : 257 - head);
    if (head < 128) out.set(packed.subarray(at, at + length), to);
    else if (at < packed.length) out.fill(packed[at] as number, to, to + length);
    else break;
    at += head < 128 ? head + 1 : 1;
    to += length;
  }
  return out.subarray(0, Math.min(to, size));
}

const [CLEAR, END, FIRST, MOST] = [256, 257, 258, 4096];

/** Decompresses LZW with MSB-first codes of 9 to 12 bits and early change of the code width. */
export function unpackLzw(packed: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  // An entry refers to the span of output during which it was created.
  const [starts, lengths] = [new Uint32Array(MOST), new Uint16Array(MOST)];
  let [next, bits, to, before] = [FIRST, 9, 0, -1];
  let [held, holds] = [0, 0];
  for (let at = 0; to < size; ) {
    while (holds < bits && at < packed.length) {
      held = ((held << 8) | (packed[at++] as number)) & 0xffffff;
      holds += 8;
    }
    if (holds < bits) break;
    const code = (held >> (holds - bits)) & ((1 << bits) - 1);
    holds -= bits;
    if (code === END) break;
    if (code === CLEAR) {
      [next, bits, before] = [FIRST, 9, -1];
      continue;
    }
    if (code >= FIRST && (before < 0 || code > next)) throw new RangeError('the LZW codes are damaged');
    const begin = to;
    if (code < 256) out[to++] = code;
    else if (code < next) to = repeat(out, starts[code] as number, lengths[code] as number, to);
    // The entry being created: the previous string plus its own first byte.
    else to = repeat(out, before, begin - before + 1, to);
    if (before >= 0 && next < MOST) {
      starts[next] = before;
      lengths[next] = begin - before + 1;
      next += 1;
    }
    before = begin;
    if (next + 1 >= 1 << bits && bits < 12) bits += 1;
  }
  return out.subarray(0, Math.min(to, size));
}

/** Copies byte by byte, as the spans may overlap. */
function repeat(out: Uint8Array, from: number, length: number, to: number): number {
  const end = Math.min(out.length, to + length);
  for (let i = to; i < end; i++) out[i] = out[from + i - to] as number;
  return to + length;
}
