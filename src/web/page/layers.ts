import { PALETTE } from '../../imaging/palette.js';
import { decodeRle } from '../../imaging/rle.js';
import type { MeasuresRecord } from '../../measure/record.js';
import type { Selection } from '../../processing/index.js';
import type { SentSegment } from '../../serve/engine/jobs.js';

/** Left, top, width, height in pixels of the image. */
export type Bbox = readonly [number, number, number, number];

/** A mask in the server's format. */
export interface Rle {
  readonly size: readonly [height: number, width: number];
  readonly counts: string;
}

/** The measures of a mask, or why there are none. */
export interface Measured {
  readonly measures: MeasuresRecord | null;
  readonly unmeasured?: string;
}

/** An object on the image: predicted or drawn. */
export interface Layer {
  readonly key: number;
  readonly phrase: string;
  /** Null for drawn layers. */
  readonly score: number | null;
  bbox: Bbox;
  /** Whether the user drew or moved the box. */
  byHand: boolean;
  /** Whether it was read from a segmentation. */
  read: boolean;
  /** Points clicked in addition to the box, or instead of one. */
  points: { readonly at: readonly [number, number]; readonly inside: boolean }[];
  rle: Rle | null;
  area: number;
  maskScore: number | null;
  measured: Measured;
  /** Checked in the list. */
  on: boolean;
  /** Rendered on a canvas of the image's size. */
  paint: OffscreenCanvas | null;
}

/** Opacity of masks, of 255. */
const FILL = 90;

/** All layers of the image, and which of them are visible. */
export class Layers {
  protected list: Layer[] = [];
  private made = 0;
  threshold = 0.3;
  select: Selection = 'all';
  chosen: Layer | undefined;

  get all(): readonly Layer[] {
    return this.list;
  }

  /** Replaces all layers with new predictions. Drawn layers are removed too: they belong to another prompt. */
  replace(found: readonly SentSegment[]): void {
    this.list = [];
    this.chosen = undefined;
    for (const { phrase, score, bbox, mask, area, mask_score, measures = null, unmeasured } of found) {
      const layer = this.add(phrase, score, bbox);
      const measured = { measures, ...(unmeasured !== undefined && { unmeasured }) };
      this.setMask(layer, mask as Rle | null, area, mask_score, measured);
    }
  }

  /** Adds what was read from a segmentation. */
  addRead(segments: readonly SentSegment[]): void {
    for (const { phrase, bbox, mask, area, measures, unmeasured } of segments) {
      const layer = this.add(phrase, null, bbox);
      Object.assign(layer, { byHand: false, read: true });
      this.setMask(layer, mask as Rle | null, area, null, { measures, ...(unmeasured !== undefined && { unmeasured }) });
    }
  }

  add(phrase: string, score: number | null, bbox: Bbox): Layer {
    const layer: Layer = {
      key: this.made++,
      phrase,
      score,
      bbox,
      byHand: score === null,
      read: false,
      points: [],
      rle: null,
      area: 0,
      maskScore: null,
      measured: { measures: null },
      on: true,
      paint: null,
    };
    this.list.push(layer);
    return layer;
  }

  setMask(layer: Layer, rle: Rle | null, area: number, maskScore: number | null, measured: Measured): void {
    Object.assign(layer, { rle, area, maskScore, measured, paint: rle === null ? null : paint(rle, this.colour(layer)) });
  }

  remove(layer: Layer): void {
    this.list = this.list.filter((other) => other !== layer);
    if (this.chosen === layer) this.chosen = undefined;
  }

  /** Layers that pass threshold and selection, best first; drawn and read ones always do. */
  get listed(): readonly Layer[] {
    const kept: Layer[] = [];
    for (const layer of [...this.list].sort((a, b) => (b.score ?? 2) - (a.score ?? 2))) {
      if (layer.byHand || layer.read) kept.push(layer);
      else if (layer.score === null || layer.score < this.threshold) continue;
      else if (this.select === 'all' || !kept.some((other) => this.beats(other, layer))) kept.push(layer);
    }
    return kept;
  }

  private beats(other: Layer, layer: Layer): boolean {
    return other.score !== null && (this.select === 'best-per-image' || other.phrase === layer.phrase);
  }

  /** Visible layers: listed and checked. */
  get shown(): readonly Layer[] {
    return this.listed.filter(({ on }) => on);
  }

  /** Equal for equal phrases. */
  colourIndex({ phrase }: Layer): number {
    const phrases = [...new Set(this.list.map((layer) => layer.phrase))];
    return Math.max(0, phrases.indexOf(phrase)) % PALETTE.length;
  }

  colour(layer: Layer): readonly [number, number, number] {
    return PALETTE[this.colourIndex(layer)] as readonly [number, number, number];
  }
}

/** Renders a mask with a translucent fill and an opaque edge. */
export function paint(
  { size: [height, width], counts }: Rle,
  [r, g, b]: readonly [number, number, number],
): OffscreenCanvas | null {
  const { data } = decodeRle(counts, width, height);
  const inside = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && data[y * width + x] === 1;
  const pixels = new ImageData(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!inside(x, y)) continue;
      const edge = !(inside(x - 1, y) && inside(x + 1, y) && inside(x, y - 1) && inside(x, y + 1));
      pixels.data.set([r, g, b, edge ? 255 : FILL], (y * width + x) * 4);
    }
  }
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d')?.putImageData(pixels, 0, 0);
  return canvas;
}
