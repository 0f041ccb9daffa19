import { MIRRORS } from './fingerprint.js';
import { differing, mirrored, packSigns } from './signs.js';
import type { ImageLocation, ImageRecord, Level, Twins } from './types.js';

/** Maximum number of differing signs, of 255, between copies. Derived in docs/decisions/0010-same-picture.md. */
export const ALIKE = 40;

const MIRRORED = ['no', 'left-right', 'up-down', 'both'] as const;

/**
 * Finds images that are in two splits or two datasets. A near-identical image is reported only with its nearest counterpart: n
 * frames of a cine clip would otherwise make n² pairs. Twins within one split are harmless and left out.
 */
export function findTwins(images: readonly ImageRecord[], limit = ALIKE): Twins[] {
  const twins = new Map<string, Twins>();
  const note = (i: number, j: number, distance: number, mirror: number, kind: Twins['kind']) => {
    const key = i < j ? `${i} ${j}` : `${j} ${i}`;
    if (twins.has(key)) return;
    const [a, b] = [images[Math.min(i, j)] as ImageRecord, images[Math.max(i, j)] as ImageRecord];
    const turned = MIRRORED[mirror] as Twins['mirrored'];
    twins.set(key, { level: levelOf(a, b), kind, distance, mirrored: turned, a: placeOf(a), b: placeOf(b) });
  };
  exactTwins(images, (i, j) => note(i, j, 0, 0, 'exact'));
  for (const { i, j, distance, mirror } of nearest(images, limit)) note(i, j, distance, mirror, 'alike');
  return [...twins.values()].sort((x, y) => order(x) - order(y) || x.distance - y.distance);
}

function order({ level, kind }: Twins): number {
  return (level === 'error' ? 0 : 2) + (kind === 'exact' ? 0 : 1);
}

/** Pairs of images with equal pixels: each with the first one in every other place. */
function exactTwins(images: readonly ImageRecord[], note: (i: number, j: number) => void): void {
  const seen = new Map<string, Map<string, number>>();
  for (const [j, image] of images.entries()) {
    if (image.exact === undefined) continue;
    const places = seen.get(image.exact) ?? new Map<string, number>();
    seen.set(image.exact, places);
    for (const [place, i] of places) if (place !== placeKey(image)) note(i, j);
    if (!places.has(placeKey(image))) places.set(placeKey(image), j);
  }
}

interface Match {
  readonly i: number;
  readonly j: number;
  readonly distance: number;
  /** Index into {@link MIRRORS}. */
  readonly mirror: number;
}

/** Each image's nearest counterpart in another place. All pairs are compared, most of them by three words only. */
function nearest(images: readonly ImageRecord[], limit: number): Match[] {
  const usable = images.flatMap((image, index) => (image.signs === undefined ? [] : [{ index, signs: image.signs }]));
  const places = new Map<string, number>();
  const place = Int32Array.from(usable, ({ index }) => {
    const key = placeKey(images[index] as ImageRecord);
    if (!places.has(key)) places.set(key, places.size);
    return places.get(key) as number;
  });
  const words = packSigns(usable.map(({ signs }) => signs));
  // Per image: smallest distance so far, its counterpart and the mirroring.
  const best = new Int32Array(usable.length).fill(limit + 1);
  const partner = new Int32Array(usable.length);
  const turned = new Uint8Array(usable.length);
  for (const [m, mirror] of MIRRORS.entries()) {
    for (let b = 1; b < usable.length; b++) {
      const own = mirrored(words, b, mirror);
      for (let a = 0; a < b; a++) {
        if (place[a] === place[b]) continue;
        const bound = Math.max(best[a] as number, best[b] as number);
        const distance = differing(words, a, own, bound);
        if (distance >= bound) continue;
        for (const [from, to] of [
          [a, b],
          [b, a],
        ] as const)
          if (distance < (best[from] as number)) {
            best[from] = distance;
            partner[from] = to;
            turned[from] = m;
          }
      }
    }
  }
  return usable.flatMap(({ index }, k) => {
    if ((best[k] as number) > limit) return [];
    const other = usable[partner[k] as number] as { readonly index: number };
    return [{ i: index, j: other.index, distance: best[k] as number, mirror: turned[k] as number }];
  });
}

function placeKey({ dataset, split }: ImageRecord): string {
  return `${split}\0${dataset}`;
}

/** An error across splits, whatever the dataset: a test image must not be trained on. */
function levelOf(a: ImageRecord, b: ImageRecord): Level {
  return a.split === b.split ? 'warning' : 'error';
}

function placeOf({ dataset, split, index, file }: ImageRecord): ImageLocation {
  return { dataset, split, index, file };
}
