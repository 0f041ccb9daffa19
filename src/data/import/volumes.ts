import { type LevelMap, type NiftiVolume, openNifti, type RasterImage } from '../../imaging/index.js';

/** Volumes that stay in memory: an image and its labels, and the two before them. */
const KEPT = 4;

const open = new Map<string, Promise<NiftiVolume>>();

/** A volume, kept for the slices that follow. */
export function openVolume(file: string): Promise<NiftiVolume> {
  const kept = open.get(file);
  if (kept !== undefined) return kept;
  const volume = openNifti(file);
  open.set(file, volume);
  for (const old of [...open.keys()].slice(0, Math.max(0, open.size - KEPT))) open.delete(old);
  return volume;
}

/** Forgets all volumes. */
export function closeVolumes(): void {
  open.clear();
}

/** Rows and columns exchanged. */
export function transposed({ width, height, data }: RasterImage): RasterImage {
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let k = 0; k < 3; k++) out[(x * height + y) * 3 + k] = data[(y * width + x) * 3 + k] as number;
  return { width: height, height: width, data: out };
}

/** The same of numbers of which a pixel has one. */
export function transposedPlane<T extends LevelMap['levels']>(values: T, width: number, height: number): T {
  const out = values.slice() as T;
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) out[x * height + y] = values[y * width + x] as number;
  return out;
}
