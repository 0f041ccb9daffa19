import { browserPixels } from '../pixels.browser.js';
import { kindOfJpeg } from './jpeg.js';
import { decodeLosslessJpeg } from './jpeg-lossless.js';

/** As `jpeg-pixels.ts`, by the browser's decoder; lossless JPEG, which it does not know, by our own. */
export const decodeJpegPixels: typeof import('./jpeg-pixels.js').decodeJpegPixels = async (bytes, grey) => {
  if (kindOfJpeg(bytes).lossless) {
    const { width, height, values } = decodeLosslessJpeg(bytes);
    return { width, height, channels: 1, data: Uint8Array.from(values) };
  }
  const { width, height, data } = await browserPixels(bytes);
  if (!grey) return { width, height, channels: 3, data };
  return { width, height, channels: 1, data: Uint8Array.from({ length: width * height }, (_, i) => data[i * 3] as number) };
};
