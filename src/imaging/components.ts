import type { BinaryMask } from './mask.js';

/** The 8-connected components of a mask, as a label per pixel: 0 outside, then 1, 2, … in reading order of first pixels. */
export interface Components {
  readonly labels: Int32Array;
  /** Area of each component in pixels, component 1 first. */
  readonly areas: readonly number[];
}

/** Labels the 8-connected components of a mask. */
export function labelComponents(mask: BinaryMask): Components {
  const labels = new Int32Array(mask.data.length);
  const areas: number[] = [];
  for (let start = 0; start < labels.length; start++) {
    if (mask.data[start] === 0 || labels[start] !== 0) continue;
    areas.push(flood(mask, start, labels, areas.length + 1));
  }
  return { labels, areas };
}

/** Splits a mask into its 8-connected components of at least `minArea` pixels, in reading order of their first pixel. */
export function connectedComponents(mask: BinaryMask, { minArea = 1 }: { readonly minArea?: number } = {}): BinaryMask[] {
  const { width, height } = mask;
  const { labels, areas } = labelComponents(mask);
  const parts = new Map<number, BinaryMask>();
  for (const [i, area] of areas.entries())
    if (area >= minArea) parts.set(i + 1, { width, height, data: new Uint8Array(width * height) });
  for (const [pixel, label] of labels.entries()) {
    const part = parts.get(label);
    if (part !== undefined) part.data[pixel] = 1;
  }
  return [...parts.values()];
}

/** Labels one component and returns its area. */
function flood({ width, height, data }: BinaryMask, start: number, labels: Int32Array, label: number): number {
  const pixels = [start];
  labels[start] = label;
  for (let next = 0; next < pixels.length; next++) {
    const pixel = pixels[next] as number;
    const [px, py] = [pixel % width, Math.floor(pixel / width)];
    for (let y = Math.max(0, py - 1); y <= Math.min(height - 1, py + 1); y++) {
      for (let x = Math.max(0, px - 1); x <= Math.min(width - 1, px + 1); x++) {
        const i = y * width + x;
        if (data[i] === 0 || labels[i] !== 0) continue;
        labels[i] = label;
        pixels.push(i);
      }
    }
  }
  return pixels.length;
}
