import type { BinaryMask, BoxXyxy } from '../../../imaging/index.js';

/** A connected component of a mask, as pixel indices in order of discovery. */
export interface Region {
  readonly pixels: readonly number[];
  readonly boxXyxyPx: BoxXyxy;
}

/**
 * The 8-connected components that border on the outer background, bottom first: OpenCV's `findContours` with `RETR_EXTERNAL`,
 * where the published code counts one row each. A component inside another one's hole is not counted.
 */
export function outerRegions(mask: BinaryMask): Region[] {
  const outside = outsideOf(mask);
  return regionsOf(mask)
    .filter(({ pixels }) => {
      // The first pixel in reading order has no pixel of its component to its left.
      const first = pixels[0] as number;
      return first % mask.width === 0 || outside[first - 1] === 1;
    })
    .reverse();
}

/** The 8-connected components of a mask in reading order of their first pixel. */
export function regionsOf({ width, height, data }: BinaryMask): Region[] {
  const seen = new Uint8Array(data.length);
  const regions: Region[] = [];
  for (let start = 0; start < data.length; start++) {
    if (data[start] === 0 || seen[start] === 1) continue;
    const pixels = [start];
    seen[start] = 1;
    let [x0, y0, x1, y1] = [width, height, 0, 0];
    for (let next = 0; next < pixels.length; next++) {
      const pixel = pixels[next] as number;
      const px = pixel % width;
      const py = (pixel - px) / width;
      if (px < x0) x0 = px;
      if (px >= x1) x1 = px + 1;
      if (py < y0) y0 = py;
      if (py >= y1) y1 = py + 1;
      const [left, right] = [px > 0 ? px - 1 : px, px < width - 1 ? px + 1 : px];
      const [top, bottom] = [py > 0 ? py - 1 : py, py < height - 1 ? py + 1 : py];
      for (let y = top; y <= bottom; y++) {
        for (let x = left; x <= right; x++) {
          const i = y * width + x;
          if (data[i] === 0 || seen[i] === 1) continue;
          seen[i] = 1;
          pixels.push(i);
        }
      }
    }
    regions.push({ pixels, boxXyxyPx: [x0, y0, x1, y1] });
  }
  return regions;
}

/** 1 where the 4-connected background reaches the edge of the image. */
function outsideOf({ width, height, data }: BinaryMask): Uint8Array {
  const outside = new Uint8Array(data.length);
  const queue: number[] = [];
  const visit = (i: number) => {
    if (data[i] !== 0 || outside[i] === 1) return;
    outside[i] = 1;
    queue.push(i);
  };
  for (let x = 0; x < width; x++) {
    visit(x);
    visit((height - 1) * width + x);
  }
  for (let y = 0; y < height; y++) {
    visit(y * width);
    visit(y * width + width - 1);
  }
  for (let i = queue.pop(); i !== undefined; i = queue.pop()) {
    const x = i % width;
    if (x > 0) visit(i - 1);
    if (x < width - 1) visit(i + 1);
    if (i >= width) visit(i - width);
    if (i < data.length - width) visit(i + width);
  }
  return outside;
}

/** A region as a mask of its own. */
export function maskOfRegion({ pixels }: Region, { width, height }: BinaryMask): BinaryMask {
  const data = new Uint8Array(width * height);
  for (const pixel of pixels) data[pixel] = 1;
  return { width, height, data };
}
