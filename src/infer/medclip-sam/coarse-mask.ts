import { type BinaryMask, connectedComponents, type GreyMap, maskArea, type Size } from '../../imaging/index.js';

/** Levels of an 8-bit map. */
const LEVELS = 256;

/** Values rescaled to the levels from 0 to 255; undefined if all are equal, or one is not finite. */
export function levelsOf(values: Float32Array, { width, height }: Size): GreyMap | undefined {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (!Number.isFinite(value)) return undefined;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (!(high > low)) return undefined;
  return { width, height, data: Uint8Array.from(values, (value) => Math.round((255 * (value - low)) / (high - low))) };
}

/**
 * Nearest-neighbour resizing by the left upper corner of each pixel, as OpenCV does it; other resizing here goes by the centres.
 */
export function resizeByCorner({ data, ...from }: GreyMap, { width, height }: Size): GreyMap {
  const columns = Array.from({ length: width }, (_, x) => Math.min(from.width - 1, Math.floor((x * from.width) / width)));
  const resized = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = Math.min(from.height - 1, Math.floor((y * from.height) / height)) * from.width;
    for (let x = 0; x < width; x++) resized[y * width + x] = data[row + (columns[x] as number)] as number;
  }
  return { width, height, data: resized };
}

/**
 * The pixels of the brighter of two clusters. In one dimension the best two clusters are the two sides of a level: all are tried,
 * where k-means stops at the first that its random start leads to.
 *
 * @returns an empty mask if there is a single level.
 */
export function brighterCluster({ data, width, height }: GreyMap): BinaryMask {
  const counts = new Float64Array(LEVELS);
  for (const level of data) counts[level] = (counts[level] as number) + 1;
  const level = bestSplit(counts);
  return { width, height, data: Uint8Array.from(data, (value) => Number(value > level)) };
}

/** The level whose two sides differ least within themselves, by the sum of squares; the highest level if there is one alone. */
function bestSplit(counts: Float64Array): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const sum = counts.reduce((all, count, level) => all + count * level, 0);
  let [best, split, below, sumBelow] = [0, LEVELS - 1, 0, 0];
  for (let level = 0; level < LEVELS - 1; level++) {
    below += counts[level] as number;
    sumBelow += level * (counts[level] as number);
    if (below === 0 || below === total) continue;
    // Squares within the sides are least where those between them are largest.
    const between = (below * total - below ** 2) * (sumBelow / below - (sum - sumBelow) / (total - below)) ** 2;
    if (between > best) [best, split] = [between, level];
  }
  return split;
}

/** The largest 8-connected component of a mask, and any others of the same area. */
export function largestComponents(mask: BinaryMask): BinaryMask {
  const parts = connectedComponents(mask);
  const areas = parts.map(maskArea);
  const largest = Math.max(0, ...areas);
  const data = new Uint8Array(mask.data.length);
  for (const [i, part] of parts.entries())
    if (areas[i] === largest) for (let k = 0; k < data.length; k++) if (part.data[k] === 1) data[k] = 1;
  return { width: mask.width, height: mask.height, data };
}
