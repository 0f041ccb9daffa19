import { DataError } from '../../../util/index.js';

/**
 * Decodes a frame of DICOM's run-length encoding (PS3.5, annex G): one segment per byte of each sample, most significant first.
 *
 * @param pixels - number of pixels in a frame.
 * @returns planar samples, 16-bit ones little-endian.
 * @throws DataError naming the file when segments are missing or too short.
 */
export function decodeRleFrame(packed: Uint8Array, pixels: number, samples: number, bytes: 1 | 2, where: string): Uint8Array {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const damaged = (what: string) =>
    new DataError({ code: 'E_IMAGE_DAMAGED', where, what: `its run-length coding ${what}`, fix: 'Export it again' });
  if (packed.length < 64) throw damaged('has no header');
  const segments = view.getUint32(0, true);
  if (segments !== samples * bytes) throw damaged(`has ${segments} segments, not ${samples * bytes}`);
  const out = new Uint8Array(pixels * samples * bytes);
  for (let segment = 0; segment < segments; segment++) {
    const start = view.getUint32(4 + 4 * segment, true);
    const end = segment + 1 < segments ? view.getUint32(8 + 4 * segment, true) : packed.length;
    const [sample, byte] = [Math.floor(segment / bytes), segment % bytes];
    const to = sample * pixels * bytes + (bytes - 1 - byte);
    if (unpack(packed.subarray(start, end), out, to, bytes, pixels) < pixels)
      throw damaged(`ends early in segment ${segment + 1}`);
  }
  return out;
}

/** PackBits: writes up to `count` bytes with a stride of `stride` and returns the number written. */
function unpack(packed: Uint8Array, out: Uint8Array, to: number, stride: number, count: number): number {
  let done = 0;
  for (let at = 0; at < packed.length && done < count; ) {
    const code = ((packed[at++] as number) << 24) >> 24;
    if (code === -128) continue;
    const length = Math.min(Math.abs(code) + 1, count - done);
    for (let i = 0; i < length; i++) {
      const value = packed[code < 0 ? at : at + i];
      if (value === undefined) return done;
      out[to + done++ * stride] = value;
    }
    at += code < 0 ? 1 : code + 1;
  }
  return done;
}
