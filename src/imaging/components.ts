import type { BinaryMask } from './mask.js';

/** The 8-connected components of a mask, as a label per pixel: 0 outside, then 1, 2, … in reading order of first pixels. */
export interface Components {
  readonly labels: Int32Array;
  /** Area of each component in pixels, component 1 first. */
  readonly areas: readonly number[];
}

/**
 * Labels the 8-connected components of a mask in two passes over its runs: the first joins runs that touch those of the row above
 * (union-find), the second writes the labels.
 */
export function labelComponents({ width, height, data }: BinaryMask): Components {
  const labels = new Int32Array(data.length);
  const runs = rowRuns(data, width, height);
  const { starts, ends } = runs;
  const parents = joinedRuns(runs);
  const areas: number[] = [];
  /** The label of each root. A component's root is its first run, so that labels are in reading order. */
  const labelOf = new Int32Array(starts.length);
  for (let run = 0; run < starts.length; run++) {
    const root = rootOf(parents, run);
    if (root === run) labelOf[run] = areas.push(0);
    const label = labelOf[root] as number;
    const end = ends[run] as number;
    areas[label - 1] = (areas[label - 1] as number) + end - (starts[run] as number);
    for (let i = starts[run] as number; i < end; i++) labels[i] = label;
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

/** The runs of pixels of a mask, in reading order. */
interface Runs {
  readonly width: number;
  /** Index of each run's first pixel, and of the pixel after its last. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Index of the first run of each row, and of the one after the last row. */
  readonly rows: Int32Array;
}

function rowRuns(data: Uint8Array, width: number, height: number): Runs {
  const rows = new Int32Array(height + 1);
  let count = 0;
  for (let y = 0; y < height; y++) {
    for (let i = y * width; i < (y + 1) * width; i++) if (data[i] !== 0 && (i === y * width || data[i - 1] === 0)) count++;
    rows[y + 1] = count;
  }
  const [starts, ends] = [new Int32Array(count), new Int32Array(count)];
  let run = 0;
  for (let y = 0; y < height; y++) {
    const end = (y + 1) * width;
    for (let i = y * width; i < end; i++) {
      if (data[i] === 0) continue;
      starts[run] = i;
      while (i < end && data[i] !== 0) i++;
      ends[run++] = i;
    }
  }
  return { width, starts, ends, rows };
}

/** The forest of runs that touch, also at corners: the parent of each, which is not after it. */
function joinedRuns({ width, starts, ends, rows }: Runs): Int32Array {
  const parents = new Int32Array(starts.length).map((_, run) => run);
  for (let y = 1; y + 1 < rows.length; y++) {
    const first = rows[y] as number;
    let above = rows[y - 1] as number;
    for (let run = first; run < (rows[y + 1] as number); run++) {
      const start = (starts[run] as number) - width;
      const end = (ends[run] as number) - width;
      while (above < first && (ends[above] as number) < start) above++;
      // The last one may touch the next run, too.
      for (let other = above; other < first && (starts[other] as number) <= end; other++) join(parents, run, other);
    }
  }
  return parents;
}

function join(parents: Int32Array, a: number, b: number): void {
  const one = rootOf(parents, a);
  const other = rootOf(parents, b);
  parents[Math.max(one, other)] = Math.min(one, other);
}

/** The root of a run; halves the path to it. */
function rootOf(parents: Int32Array, run: number): number {
  let at = run;
  for (;;) {
    const parent = parents[at] as number;
    if (parent === at) return at;
    at = parents[at] = parents[parent] as number;
  }
}
