import type { ObjectTrack } from './object-track.js';

/** Which frames an object is remembered from. */
export interface SelectedMemory {
  /** Marked frames. */
  readonly prompted: readonly number[];
  /** Others before the current one, the oldest first, and how many frames ago they were. */
  readonly others: readonly { readonly frame: number; readonly age: number }[];
  /** Frames whose pointers are taken, and how many frames ago they were. */
  readonly pointers: readonly { readonly frame: number; readonly age: number }[];
}

export interface SelectOptions {
  readonly frame: number;
  readonly backward: boolean;
  /** Of the clip. */
  readonly frames: number;
  /** Memories of frames, those of marked ones counting as one. */
  readonly numMaskmem: number;
  /** Most marked frames; undefined: all. */
  readonly mostPrompted: number | undefined;
  readonly mostPointers: number;
}

/**
 * Selects what a frame is compared with: the closest marked frames, the frames just before, and the pointers of those.
 *
 * @see SAM 2, `_prepare_memory_conditioned_features`
 */
export function selectMemory(track: Pick<ObjectTrack, 'prompted' | 'reached'>, options: SelectOptions): SelectedMemory {
  const { frame, backward, frames, numMaskmem, mostPrompted, mostPointers } = options;
  const past = backward ? 1 : -1;
  // Not the frame's own: a mark is being corrected.
  const marked = [...track.prompted.keys()].filter((at) => at !== frame);
  const prompted = closest(marked, frame, mostPrompted);
  const isOther = (at: number) => track.reached(at) || (marked.includes(at) && !prompted.includes(at));
  const before = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ frame: frame + past * (i + 1), age: i + 1 })).filter(
      (other) => other.frame >= 0 && other.frame < frames && isOther(other.frame),
    );
  return {
    prompted,
    others: before(numMaskmem - 1).reverse(),
    pointers: [
      ...prompted.map((at) => ({ frame: at, age: (at - frame) * past })).filter(({ age }) => age >= 0),
      ...before(mostPointers - 1),
    ],
  };
}

/** The closest marked frame before, the closest after, then the closest of the rest, in the order in which they were marked. */
function closest(marked: readonly number[], frame: number, most: number | undefined): readonly number[] {
  if (most === undefined || marked.length <= most) return marked;
  const before = Math.max(...marked.filter((at) => at < frame));
  const after = Math.min(...marked.filter((at) => at >= frame));
  const distance = (at: number) => (at === before || at === after ? -1 : Math.abs(at - frame));
  const nearest = [...marked].sort((a, b) => distance(a) - distance(b)).slice(0, most);
  return marked.filter((at) => nearest.includes(at));
}
