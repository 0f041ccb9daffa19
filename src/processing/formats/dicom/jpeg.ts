const SOF = new Set([0xc0, 0xc1, 0xc2, 0xc3]);
const [SOI, APP0, APP14, SOS] = [0xd8, 0xe0, 0xee, 0xda];

/** "Adobe", version 100, no flags, transform 0: the three components are red, green and blue. */
const RGB_MARKER = [0xff, APP14, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0];

/**
 * A JPEG of which the file around it says that it is RGB, made to say so itself where it says nothing: without a mark,
 * decoders take three components for luminance and colour differences. One that is marked otherwise, or that has reduced
 * colours, is believed more than the file.
 */
export function markAsRgb(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0xff || bytes[1] !== SOI) return bytes;
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1] as number;
    if (marker === APP0 || marker === APP14) return bytes;
    if (SOF.has(marker)) {
      const reduced = bytes[at + 11] !== 0x11;
      return reduced ? bytes : marked(bytes);
    }
    if (marker === SOS) return bytes;
    at += 2 + lengthAt(bytes, at);
  }
  return bytes;
}

function marked(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length + RGB_MARKER.length);
  out.set(bytes.subarray(0, 2));
  out.set(RGB_MARKER, 2);
  out.set(bytes.subarray(2), 2 + RGB_MARKER.length);
  return out;
}

/** Of what follows a marker, itself included. */
function lengthAt(bytes: Uint8Array, marker: number): number {
  return ((bytes[marker + 2] as number) << 8) | (bytes[marker + 3] as number);
}

/** Whether a JPEG is coded without losses, and its bits a sample; 8 and with losses where it does not say. */
export function kindOfJpeg(bytes: Uint8Array): { readonly lossless: boolean; readonly precision: number } {
  for (let at = 2; at + 5 <= bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1] as number;
    if (SOF.has(marker)) return { lossless: marker === 0xc3, precision: bytes[at + 4] as number };
    at += 2 + lengthAt(bytes, at);
  }
  return { lossless: false, precision: 8 };
}
