import { browserPixels } from '../pixels.browser.js';

/** Browser counterpart of `jpeg-pixels.ts`, using the browser's decoder. */
export const decodeJpegPixels: typeof import('./jpeg-pixels.js').decodeJpegPixels = async (bytes, grey) => {
  const { width, height, data } = await browserPixels(bytes);
  if (!grey) return { width, height, channels: 3, data };
  return { width, height, channels: 1, data: Uint8Array.from({ length: width * height }, (_, i) => data[i * 3] as number) };
};
