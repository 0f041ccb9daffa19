import type { BinaryMask, BoxXyxy, Size } from '../../imaging/index.js';
import { boxIou } from '../../metrics/index.js';
import type { Detection } from '../../processing/index.js';

/** An object that is followed. */
export interface Track {
  readonly id: number;
  readonly phrase: string;
  /** The detector's confidence where it last found it. */
  score: number;
  /** Where it was last seen. */
  box: BoxXyxy;
  /** Whether the last frame showed it. */
  visible: boolean;
}

/** Overlap (IoU of boxes) from which a detection is an object that is in sight already. */
const SAME = 0.3;

/** A lost object comes back within this distance of where it was last seen, relative to the longer side of its box. */
const NEAR = 1.5;

/** What each detection is: an object that is followed, one that was lost, or a new one. */
export interface Assigned<T extends Track = Track> {
  readonly detection: Detection;
  /** Undefined for a new object. */
  readonly track: T | undefined;
}

/**
 * Matches detections to tracks of the same phrase: visible ones by overlap, best first, then lost ones by distance.
 *
 * A track takes one detection. A detection that overlaps a track of its phrase that has a better one already is the same object
 * found twice, and dropped.
 */
export function assignTracks<T extends Track>(detections: readonly Detection[], tracks: readonly T[]): Assigned<T>[] {
  const taken = new Set<T>();
  const assigned = new Map<Detection, T>();
  const pairs = detections.flatMap((detection) =>
    tracks
      .filter(({ phrase, visible }) => visible && phrase === detection.phrase)
      .map((track) => ({ detection, track, overlap: boxIou(detection.boxXyxyPx, track.box) })),
  );
  const close = pairs.filter(({ overlap }) => overlap >= SAME).sort((a, b) => b.overlap - a.overlap);
  for (const { detection, track } of close) {
    if (taken.has(track) || assigned.has(detection)) continue;
    taken.add(track);
    assigned.set(detection, track);
  }
  const twice = new Set(close.filter(({ detection }) => !assigned.has(detection)).map(({ detection }) => detection));
  const rest = detections.filter((detection) => !assigned.has(detection) && !twice.has(detection));
  const lost = rest.flatMap((detection) =>
    tracks
      .filter(({ phrase, visible }) => !visible && phrase === detection.phrase)
      .map((track) => ({ detection, track, distance: distanceOf(detection.boxXyxyPx, track.box) })),
  );
  for (const { detection, track, distance } of lost.sort((a, b) => a.distance - b.distance)) {
    if (distance > NEAR || taken.has(track) || assigned.has(detection)) continue;
    taken.add(track);
    assigned.set(detection, track);
  }
  return detections
    .filter((detection) => !twice.has(detection))
    .map((detection) => ({ detection, track: assigned.get(detection) }));
}

/** Distance of the centres, relative to the longer side of the second box. */
function distanceOf([ax0, ay0, ax1, ay1]: BoxXyxy, [bx0, by0, bx1, by1]: BoxXyxy): number {
  const distance = Math.hypot((ax0 + ax1 - bx0 - bx1) / 2, (ay0 + ay1 - by0 - by1) / 2);
  return distance / Math.max(1, bx1 - bx0, by1 - by0);
}

export function emptyMask({ width, height }: Size): BinaryMask {
  return { width, height, data: new Uint8Array(width * height) };
}
