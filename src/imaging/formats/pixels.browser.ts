import type { RasterImage } from '../raster-image.js';

/**
 * Decodes an image with the browser: colours unconverted, transparency over black, EXIF rotation applied.
 *
 * @throws Error when it is damaged, truncated, or of a format unknown to the browser; the caller adds an explanation.
 */
export async function browserPixels(bytes: Uint8Array): Promise<RasterImage> {
  if (isCutOff(bytes)) throw new Error('it ends before its pixels');
  const bitmap = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>]), { colorSpaceConversion: 'none' });
  try {
    return drawnPixels(bitmap, bitmap.width, bitmap.height);
  } finally {
    bitmap.close();
  }
}

/**
 * The pixels of what a canvas can draw, transparency over black.
 *
 * @throws Error when there is no memory for them.
 */
export function drawnPixels(source: CanvasImageSource, width: number, height: number): RasterImage {
  const context = new OffscreenCanvas(width, height).getContext('2d', { alpha: false, willReadFrequently: true });
  if (context === null) throw new Error('there is no memory for its pixels');
  context.drawImage(source, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    rgb[to] = data[from] as number;
    rgb[to + 1] = data[from + 1] as number;
    rgb[to + 2] = data[from + 2] as number;
  }
  return { width, height, data: rgb };
}

const [SOI, SOS, EOI] = [0xd8, 0xda, 0xd9];

/** Browsers render truncated images partially; these are refused, since measurements on them would be wrong. */
function isCutOff(bytes: Uint8Array): boolean {
  const text = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  if (text(1, 4) === 'PNG') return !text(Math.max(0, bytes.length - 4096), bytes.length).includes('IEND');
  if (bytes[0] === 0xff && bytes[1] === SOI) return lastMarker(bytes, EOI) < lastMarker(bytes, SOS);
  return false;
}

function lastMarker(bytes: Uint8Array, marker: number): number {
  for (let at = bytes.length - 2; at >= 0; at--) if (bytes[at] === 0xff && bytes[at + 1] === marker) return at;
  return -1;
}
