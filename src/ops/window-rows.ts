/** Maximum number of cache entries; maps come in few sizes. */
const LARGEST_CACHE = 64;

const cache = new Map<string, Int32Array>();

/**
 * Rows of the tokens of square windows, in the order of splitWindows(cyclicShift(padToMultiple(map))).
 *
 * @param map - batch, height and width; the sides need not be multiples of `size`.
 * @param shift - cyclic shift of the map up and left, in rows and columns, before it is split.
 * @returns rows of a matrix [B * H * W], windows and the tokens in them row by row; -1 where a window extends beyond the map.
 * Read-only.
 */
export function windowRows([b, h, w]: readonly [number, number, number], size: number, shift = 0): Int32Array {
  const name = [b, h, w, size, shift].join();
  const known = cache.get(name);
  if (known !== undefined) return known;
  if (cache.size >= LARGEST_CACHE) cache.clear();
  const rows = findRows([b, h, w], size, shift);
  cache.set(name, rows);
  return rows;
}

function findRows([b, h, w]: readonly [number, number, number], size: number, shift: number): Int32Array {
  const height = Math.ceil(h / size) * size;
  const width = Math.ceil(w / size) * size;
  const rows = new Int32Array(b * height * width);
  let next = 0;
  for (let image = 0; image < b; image++)
    for (let top = 0; top < height; top += size)
      for (let left = 0; left < width; left += size)
        for (let i = top; i < top + size; i++)
          for (let j = left; j < left + size; j++) {
            const y = (i + shift) % height;
            const x = (j + shift) % width;
            rows[next++] = y < h && x < w ? (image * h + y) * w + x : -1;
          }
  return rows;
}
