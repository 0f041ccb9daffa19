/** Browser counterpart of `png.ts`, using the browser's encoder. */
type Png = typeof import('./png.js');

export const encodePng: Png['encodePng'] = ({ width, height, data }) => {
  const pixels = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    pixels.data.set(data.subarray(i * 3, i * 3 + 3), i * 4);
    pixels.data[i * 4 + 3] = 255;
  }
  return pngOf(pixels);
};

export const maskToPng: Png['maskToPng'] = ({ width, height, data }) => {
  const pixels = new ImageData(width, height);
  for (const [i, value] of data.entries()) pixels.data.set([value * 255, value * 255, value * 255, 255], i * 4);
  return pngOf(pixels);
};

/** Typed as in Node, whose Buffer is a Uint8Array; browser code uses it as such. */
async function pngOf(pixels: ImageData): ReturnType<Png['encodePng']> {
  const canvas = new OffscreenCanvas(pixels.width, pixels.height);
  canvas.getContext('2d')?.putImageData(pixels, 0, 0);
  const blob = await canvas.convertToBlob({ type: 'image/png' });
  return new Uint8Array(await blob.arrayBuffer()) as Awaited<ReturnType<Png['encodePng']>>;
}
