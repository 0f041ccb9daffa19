import { type LevelMap, type NiftiVolume, openNifti, type RasterImage } from '../../imaging/index.js';

/** Volumes kept in memory: an image and its labels, and the previous two. */
const KEPT = 4;

const open = new Map<string, Promise<NiftiVolume>>();

/** Opens a volume and keeps it for the following slices. */
export function openVolume(file: string): Promise<NiftiVolume> {
  const kept = open.get(file);
  if (kept !== undefined) return kept;
  const volume = openNifti(file);
  open.set(file, volume);
  for (const old of [...open.keys()].slice(0, Math.max(0, open.size - KEPT))) open.delete(old);
  return volume;
}

/** Releases all volumes. */
export function closeVolumes(): void {
  open.clear();
}

/** Swaps rows and columns. */
export function transposed({ width, height, data }: RasterImage): RasterImage {
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let k = 0; k < 3; k++) out[(x * height + y) * 3 + k] = data[(y * width + x) * 3 + k] as number;
  return { width: height, height: width, data: out };
}

/** Swaps rows and columns of single-channel values. */
export function transposedPlane<T extends LevelMap['levels']>(values: T, width: number, height: number): T {
  const out = values.slice() as T;
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) out[x * height + y] = values[y * width + x] as number;
  return out;
}
