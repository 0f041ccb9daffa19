const SOF = new Set([0xc0, 0xc1, 0xc2, 0xc3]);
const [SOI, APP0, APP14, SOS] = [0xd8, 0xe0, 0xee, 0xda];

/** "Adobe", version 100, no flags, transform 0: the three components are red, green and blue. */
const RGB_MARKER = Buffer.from([0xff, APP14, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0]);

/**
 * A JPEG of which the file around it says that it is RGB, made to say so itself where it says nothing: without a mark,
 * decoders take three components for luminance and colour differences. One that is marked otherwise, or that has reduced
 * colours, is believed more than the file.
 */
export function markAsRgb(bytes: Uint8Array): Buffer {
  const buffer = Buffer.from(bytes);
  if (buffer[0] !== 0xff || buffer[1] !== SOI) return buffer;
  for (let at = 2; at + 4 <= buffer.length && buffer[at] === 0xff; ) {
    const marker = buffer[at + 1] as number;
    if (marker === APP0 || marker === APP14) return buffer;
    if (SOF.has(marker)) {
      const reduced = buffer[at + 11] !== 0x11;
      return reduced ? buffer : Buffer.concat([buffer.subarray(0, 2), RGB_MARKER, buffer.subarray(2)]);
    }
    if (marker === SOS) return buffer;
    at += 2 + buffer.readUInt16BE(at + 2);
  }
  return buffer;
}

/** Whether a JPEG is coded without losses, and its bits a sample; 8 and with losses where it does not say. */
export function kindOfJpeg(bytes: Uint8Array): { readonly lossless: boolean; readonly precision: number } {
  for (let at = 2; at + 5 <= bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1] as number;
    if (SOF.has(marker)) return { lossless: marker === 0xc3, precision: bytes[at + 4] as number };
    at += 2 + (((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number));
  }
  return { lossless: false, precision: 8 };
}
