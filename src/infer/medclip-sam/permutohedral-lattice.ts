/**
 * A Gaussian filter over points of any dimension, in time linear in their number: values are spread to the corners of the simplex of
 * the permutohedral lattice that a point lies in, blurred along the axes of the lattice, and read back.
 *
 * @see Adams, Baek and Davis 2010, Fast High-Dimensional Filtering Using the Permutohedral Lattice
 */
export class PermutohedralLattice {
  private readonly dimensions: number;
  private readonly count: number;
  /** Lattice points of each point's simplex, and its weights in them: [points, dimensions + 1]. */
  private readonly corners: Int32Array;
  private readonly weights: Float32Array;
  /** Both neighbours of each lattice point on each axis, [axes, lattice points, 2]; -1 where there is none. */
  private readonly neighbours: Int32Array;
  private readonly size: number;

  /** @param features - [points, dimensions], in units of the filter's standard deviation. */
  constructor(features: Float32Array, dimensions: number) {
    const d = dimensions;
    this.dimensions = d;
    this.count = features.length / d;
    this.corners = new Int32Array(this.count * (d + 1));
    this.weights = new Float32Array(this.count * (d + 1));
    const keys = new KeyTable(d, this.corners.length);
    const place = new Simplex(d);
    for (let point = 0; point < this.count; point++) {
      place.moveTo(features, point * d);
      for (let corner = 0; corner <= d; corner++) {
        const at = point * (d + 1) + corner;
        this.corners[at] = keys.add(place.keyOf(corner));
        this.weights[at] = place.weights[corner] as number;
      }
    }
    this.size = keys.size;
    this.neighbours = neighboursIn(keys, d);
  }

  /**
   * Filters a channel, without normalising.
   *
   * @param values - [points].
   * @returns [points].
   */
  filter(values: Float32Array): Float32Array {
    const { dimensions: d, corners, weights, size, count } = this;
    let current = new Float32Array(size);
    for (let at = 0; at < corners.length; at++) {
      const corner = corners[at] as number;
      current[corner] = (current[corner] as number) + (weights[at] as number) * (values[Math.floor(at / (d + 1))] as number);
    }
    let next = new Float32Array(size);
    for (let axis = 0; axis <= d; axis++) {
      for (let i = 0; i < size; i++) {
        const at = 2 * (axis * size + i);
        const [a, b] = [this.neighbours[at] as number, this.neighbours[at + 1] as number];
        const around = (a < 0 ? 0 : (current[a] as number)) + (b < 0 ? 0 : (current[b] as number));
        next[i] = (current[i] as number) + 0.5 * around;
      }
      [current, next] = [next, current];
    }
    const scale = 1 / (1 + 2 ** -d);
    const filtered = new Float32Array(count);
    for (let at = 0; at < corners.length; at++) {
      const point = Math.floor(at / (d + 1));
      filtered[point] =
        (filtered[point] as number) + (weights[at] as number) * (current[corners[at] as number] as number) * scale;
    }
    return filtered;
  }
}

/** The simplex that a point lies in, and its barycentric weights. */
class Simplex {
  /** Of the corners, the one with remainder 0 first. */
  readonly weights: Float64Array;
  private readonly d: number;
  private readonly scales: readonly number[];
  private readonly elevated: Float64Array;
  private readonly origin: Int32Array;
  private readonly rank: Int32Array;
  private readonly key: Int32Array;

  constructor(d: number) {
    this.d = d;
    // The filter's standard deviation is that of the blur, in units of the lattice.
    this.scales = Array.from({ length: d }, (_, i) => (Math.sqrt(2 / 3) * (d + 1)) / Math.sqrt((i + 2) * (i + 1)));
    this.weights = new Float64Array(d + 2);
    this.elevated = new Float64Array(d + 1);
    this.origin = new Int32Array(d + 1);
    this.rank = new Int32Array(d + 1);
    this.key = new Int32Array(d);
  }

  moveTo(features: Float32Array, from: number): void {
    const { d, elevated, origin, rank, weights } = this;
    // Onto the hyperplane whose coordinates have the sum 0.
    let above = 0;
    for (let j = d; j > 0; j--) {
      const scaled = (features[from + j - 1] as number) * (this.scales[j - 1] as number);
      elevated[j] = above - j * scaled;
      above += scaled;
    }
    elevated[0] = above;
    let excess = 0;
    for (let i = 0; i <= d; i++) {
      const rounded = Math.round((elevated[i] as number) / (d + 1));
      origin[i] = rounded * (d + 1);
      excess += rounded;
    }
    this.rankRemainders();
    for (let i = 0; i <= d; i++) {
      const moved = (rank[i] as number) + excess;
      const turns = moved < 0 ? 1 : moved > d ? -1 : 0; // back onto the hyperplane
      rank[i] = moved + turns * (d + 1);
      origin[i] = (origin[i] as number) + turns * (d + 1);
    }
    weights.fill(0);
    for (let i = 0; i <= d; i++) {
      const share = ((elevated[i] as number) - (origin[i] as number)) / (d + 1);
      const place = d - (rank[i] as number);
      weights[place] = (weights[place] as number) + share;
      weights[place + 1] = (weights[place + 1] as number) - share;
    }
    weights[0] = (weights[0] as number) + 1 + (weights[d + 1] as number);
  }

  /** Coordinates of a corner, of which the last is determined by the others; the same array each time. */
  keyOf(corner: number): Int32Array {
    for (let i = 0; i < this.d; i++) {
      const wraps = (this.rank[i] as number) > this.d - corner;
      this.key[i] = (this.origin[i] as number) + corner - (wraps ? this.d + 1 : 0);
    }
    return this.key;
  }

  /** The place of each coordinate when they are sorted by their distance from the origin, the largest first. */
  private rankRemainders(): void {
    const { d, elevated, origin, rank } = this;
    rank.fill(0);
    for (let i = 0; i < d; i++)
      for (let j = i + 1; j <= d; j++) {
        const own = (elevated[i] as number) - (origin[i] as number);
        const smaller = own < (elevated[j] as number) - (origin[j] as number) ? i : j;
        rank[smaller] = (rank[smaller] as number) + 1;
      }
  }
}

/** Numbers lattice points in the order in which they are added. */
class KeyTable {
  size = 0;
  private readonly width: number;
  private readonly slots: Int32Array;
  private readonly keys: Int32Array;

  constructor(width: number, most: number) {
    this.width = width;
    this.slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * most + 1))).fill(-1);
    this.keys = new Int32Array(most * width);
  }

  add(key: Int32Array): number {
    const slot = this.slotOf(key);
    const found = this.slots[slot] as number;
    if (found >= 0) return found;
    this.keys.set(key, this.size * this.width);
    this.slots[slot] = this.size;
    return this.size++;
  }

  /** The number of a key; -1 if it was not added. */
  find(key: Int32Array): number {
    return this.slots[this.slotOf(key)] as number;
  }

  keyOf(index: number): Int32Array {
    return this.keys.subarray(index * this.width, (index + 1) * this.width);
  }

  /** The slot of a key, or the free one for it. */
  private slotOf(key: Int32Array): number {
    let hash = 0;
    for (const part of key) hash = Math.imul(hash + part, 1_664_525);
    const last = this.slots.length - 1;
    let slot = (hash ^ (hash >>> 15)) & last;
    while (!this.isFreeOrOf(slot, key)) slot = (slot + 1) & last;
    return slot;
  }

  private isFreeOrOf(slot: number, key: Int32Array): boolean {
    const index = this.slots[slot] as number;
    if (index < 0) return true;
    for (let i = 0; i < this.width; i++) if (this.keys[index * this.width + i] !== key[i]) return false;
    return true;
  }
}

function neighboursIn(keys: KeyTable, d: number): Int32Array {
  const found = new Int32Array((d + 1) * keys.size * 2);
  for (let axis = 0; axis <= d; axis++)
    for (let i = 0; i < keys.size; i++) {
      const key = keys.keyOf(i);
      for (const [side, step] of [-1, 1].entries()) {
        // A step of 1 in every coordinate but the axis, whose own brings the sum back to 0.
        const next = key.map((part, k) => (k === axis ? part - step * d : part + step));
        found[2 * (axis * keys.size + i) + side] = keys.find(next);
      }
    }
  return found;
}
