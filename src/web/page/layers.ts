import { PALETTE } from '../../imaging/palette.js';
import { decodeRle } from '../../imaging/rle.js';
import type { Selection } from '../../processing/index.js';
import type { SentSegment } from '../../serve/engine/jobs.js';

/** Left, top, width, height in pixels of the image. */
export type Bbox = readonly [number, number, number, number];

/** A mask as the server sends it. */
export interface Rle {
  readonly size: readonly [height: number, width: number];
  readonly counts: string;
}

/** Something on the image: found by the model, or drawn. */
export interface Layer {
  readonly key: number;
  readonly phrase: string;
  /** Null for what was drawn. */
  readonly score: number | null;
  bbox: Bbox;
  /** Whether a person drew or moved the box. */
  byHand: boolean;
  /** Clicked in addition to the box, or instead of one. */
  points: { readonly at: readonly [number, number]; readonly inside: boolean }[];
  rle: Rle | null;
  area: number;
  maskScore: number | null;
  /** Ticked in the list. */
  on: boolean;
  /** Drawn on a canvas of the image's size. */
  paint: OffscreenCanvas | null;
}

/** How much of a mask's colour covers the image, of 255. */
const FILL = 90;

/** Everything on the image, and what of it is shown. */
export class Layers {
  private list: Layer[] = [];
  private made = 0;
  threshold = 0.3;
  select: Selection = 'all';
  chosen: Layer | undefined;

  get all(): readonly Layer[] {
    return this.list;
  }

  /** Puts what was found in the place of what was found before. What was drawn goes too: it belongs to another question. */
  replace(found: readonly SentSegment[]): void {
    this.list = [];
    this.chosen = undefined;
    for (const { phrase, score, bbox, mask, area, mask_score } of found) {
      const layer = this.add(phrase, score, bbox);
      this.setMask(layer, mask as Rle | null, area, mask_score);
    }
  }

  add(phrase: string, score: number | null, bbox: Bbox): Layer {
    const layer: Layer = {
      key: this.made++,
      phrase,
      score,
      bbox,
      byHand: score === null,
      points: [],
      rle: null,
      area: 0,
      maskScore: null,
      on: true,
      paint: null,
    };
    this.list.push(layer);
    return layer;
  }

  setMask(layer: Layer, rle: Rle | null, area: number, maskScore: number | null): void {
    Object.assign(layer, { rle, area, maskScore, paint: rle === null ? null : paint(rle, this.colour(layer)) });
  }

  remove(layer: Layer): void {
    this.list = this.list.filter((other) => other !== layer);
    if (this.chosen === layer) this.chosen = undefined;
  }

  /** What the threshold and the selection leave, best first; what a person drew always is among it. */
  get listed(): readonly Layer[] {
    const kept: Layer[] = [];
    for (const layer of [...this.list].sort((a, b) => (b.score ?? 2) - (a.score ?? 2))) {
      if (layer.byHand) kept.push(layer);
      else if (layer.score === null || layer.score < this.threshold) continue;
      else if (this.select === 'all' || !kept.some((other) => this.beats(other, layer))) kept.push(layer);
    }
    return kept;
  }

  private beats(other: Layer, layer: Layer): boolean {
    return other.score !== null && (this.select === 'best-per-image' || other.phrase === layer.phrase);
  }

  /** What is to be seen: listed and ticked. */
  get shown(): readonly Layer[] {
    return this.listed.filter(({ on }) => on);
  }

  /** The same for the same phrase. */
  colourIndex({ phrase }: Layer): number {
    const phrases = [...new Set(this.list.map((layer) => layer.phrase))];
    return Math.max(0, phrases.indexOf(phrase)) % PALETTE.length;
  }

  colour(layer: Layer): readonly [number, number, number] {
    return PALETTE[this.colourIndex(layer)] as readonly [number, number, number];
  }
}

/** Fills a mask with a colour that lets the image through, its edge with one that does not. */
function paint({ size: [height, width], counts }: Rle, [r, g, b]: readonly [number, number, number]): OffscreenCanvas | null {
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
