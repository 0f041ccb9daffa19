import sharp from 'sharp';

/** A decoded image: interleaved 8-bit samples. */
export interface JpegPixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/**
 * Decodes an 8-bit JPEG.
 *
 * @param grey - one channel instead of RGB.
 * @throws Error when it is damaged or truncated; the caller names the file.
 */
export async function decodeJpegPixels(bytes: Uint8Array, grey: boolean): Promise<JpegPixels> {
  const picture = sharp(bytes, { failOn: 'error' }).toColourspace(grey ? 'b-w' : 'srgb');
  const { data, info } = await picture.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: info.channels, data: new Uint8Array(data) };
}
