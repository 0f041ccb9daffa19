import { PALETTE } from '../../../imaging/palette.js';
import type { SentTrack } from '../../../serve/engine/clips/clip-jobs.js';
import { type Bbox, type Layer, Layers, paint, type Rle } from '../layers.js';
import type { ClipState } from './clip-state.js';

/** Painted masks that are kept: those of the frames around the current one. */
const PAINTED = 48;

/** The colour of an object: the same on all frames. */
export function trackColour(track: number): readonly [number, number, number] {
  return PALETTE[trackColourIndex(track)] as readonly [number, number, number];
}

export function trackColourIndex(track: number): number {
  return (track - 1) % PALETTE.length;
}

/** The objects on the current frame as layers, whose keys are the objects' numbers. */
export class ClipLayers extends Layers {
  private readonly painted = new Map<Rle, OffscreenCanvas>();
  /** Objects that are not to be shown. */
  readonly off = new Set<number>();
  /** The selected object, on whatever frame. */
  chosenTrack: number | undefined;

  showFrame(state: ClipState, frame: number): void {
    this.list = state.at(frame).flatMap((seen) => (seen.bbox === null ? [] : [this.layerOf(seen, seen.bbox, state, frame)]));
    this.chosen = this.list.find(({ key }) => key === this.chosenTrack);
  }

  private layerOf(seen: SentTrack, bbox: Bbox, state: ClipState, frame: number): Layer {
    const { track, phrase, object_score, mask, area, mask_score, measures = null, unmeasured } = seen;
    return {
      key: track,
      phrase,
      score: object_score,
      bbox,
      // The threshold is for what is searched, not for what is followed.
      byHand: true,
      read: false,
      points: [...(state.drawnFor(frame, track)?.points ?? [])],
      rle: mask,
      area,
      maskScore: mask_score,
      measured: { measures, ...(unmeasured !== undefined && { unmeasured }) },
      on: !this.off.has(track),
      paint: mask === null ? null : this.paintOf(mask, track),
    };
  }

  private paintOf(mask: Rle, track: number): OffscreenCanvas | null {
    const fresh = this.painted.get(mask) ?? paint(mask, trackColour(track));
    if (fresh === null) return null;
    this.painted.delete(mask);
    this.painted.set(mask, fresh);
    for (const oldest of this.painted.keys()) {
      if (this.painted.size <= PAINTED) break;
      this.painted.delete(oldest);
    }
    return fresh;
  }

  override colourIndex({ key }: Pick<Layer, 'key'>): number {
    return trackColourIndex(key);
  }
}
