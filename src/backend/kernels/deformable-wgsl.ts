/** WGSL shaders of deformable attention, for WebGPU. The arithmetic is that of `native/deformable-sampling.cc`. */

/** Sizes of one call, in the order in which {@link UNIFORMS} declares them. */
export interface DeformableSizes {
  readonly cells: number;
  readonly queries: number;
  readonly heads: number;
  readonly depth: number;
  readonly levels: number;
  readonly points: number;
  /** B * Q * H * L * P. */
  readonly samples: number;
}

export const UNIFORMS =
  'cells : i32, queries : i32, heads : i32, depth : i32, levels : i32, points : i32, samples : i32, zero : u32,';

/** Number of channels of a head per thread: a vec4 if the depth allows it. */
export type Lanes = 1 | 4;

/** WGSL type of a vector of this size. */
const typeOf = (lanes: Lanes) => (lanes === 4 ? 'vec4<f32>' : 'f32');

/**
 * Finds the four cells around a point. A compiler may fuse the product and the difference into one rounding, so that a location
 * meant to hit a cell centre misses it; adding a value that it does not know to be zero prevents this.
 */
const AROUND = `
  struct Around { inside : bool, x : i32, y : i32, right : f32, lower : f32, };

  fn rounded(x : f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) ^ uniforms.zero); }

  fn farAway(x : f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x4b800000u; } // beyond 2^24, infinite, or no number

  fn around(i : i32, height : i32, width : i32) -> Around {
    let locationX = locations[2 * i];
    let locationY = locations[2 * i + 1];
    var found = Around(false, 0, 0, 0.0, 0.0);
    if (farAway(locationX) || farAway(locationY)) { return found; }
    let x = rounded(locationX * f32(width)) - 0.5;
    let y = rounded(locationY * f32(height)) - 0.5;
    if (x < -1.0 || x >= f32(width) || y < -1.0 || y >= f32(height)) { return found; }
    let left = floor(x);
    let upper = floor(y);
    return Around(true, i32(left), i32(upper), x - left, y - upper);
  }
`;

/** Output [B, Q, H * D], one thread per element (or vec4). */
export const forwardSource = (lanes: Lanes): string => `
  ${AROUND}
  fn main(index : i32) {
    if (index >= uniforms.size) { return; }
    let lanes = uniforms.depth / ${lanes};
    let d = index % lanes;
    let row = index / lanes; // of B * Q * H
    let head = row % uniforms.heads;
    let image = row / (uniforms.heads * uniforms.queries);
    var sum = ${typeOf(lanes)}(0.0);
    var start = 0;
    for (var l = 0; l < uniforms.levels; l++) {
      let height = spatialShapes[2 * l];
      let width = spatialShapes[2 * l + 1];
      for (var p = 0; p < uniforms.points; p++) {
        let i = (row * uniforms.levels + l) * uniforms.points + p;
        let a = around(i, height, width);
        if (!a.inside) { continue; }
        for (var corner = 0; corner < 4; corner++) {
          let x = a.x + (corner & 1);
          let y = a.y + (corner >> 1);
          if (x < 0 || x >= width || y < 0 || y >= height) { continue; }
          let share = select(1.0 - a.right, a.right, x > a.x) * select(1.0 - a.lower, a.lower, y > a.y);
          let cell = image * uniforms.cells + start + y * width + x;
          sum += value[(cell * uniforms.heads + head) * lanes + d] * (share * weights[i]);
        }
      }
      start += height * width;
    }
    setOutputAtIndex(index, sum);
  }
`;

/**
 * Gradients with respect to locations and weights, one thread per sample. Output: 3 * samples numbers, first the locations'
 * gradient [samples, 2], then the weights'.
 */
export const pointGradientSource = (lanes: Lanes): string => `
  ${AROUND}
  fn against(query : i32, x : i32, y : i32, height : i32, width : i32, start : i32, head : i32) -> f32 {
    if (x < 0 || x >= width || y < 0 || y >= height) { return 0.0; }
    let lanes = uniforms.depth / ${lanes};
    let first = (start + y * width + x) * uniforms.heads + head;
    var sum = ${typeOf(lanes)}(0.0);
    for (var d = 0; d < lanes; d++) { sum += gradient[query * lanes + d] * value[first * lanes + d]; }
    return ${lanes === 4 ? 'dot(sum, vec4<f32>(1.0))' : 'sum'};
  }

  fn main(index : i32) {
    if (index >= uniforms.samples) { return; }
    let l = index / uniforms.points % uniforms.levels;
    let row = index / (uniforms.points * uniforms.levels);
    let head = row % uniforms.heads;
    let image = row / (uniforms.heads * uniforms.queries);
    var start = image * uniforms.cells;
    for (var before = 0; before < l; before++) { start += spatialShapes[2 * before] * spatialShapes[2 * before + 1]; }
    let height = spatialShapes[2 * l];
    let width = spatialShapes[2 * l + 1];
    let a = around(index, height, width);
    var atX = 0.0;
    var atY = 0.0;
    var atWeight = 0.0;
    if (a.inside) {
      let upperLeft = against(row, a.x, a.y, height, width, start, head);
      let upperRight = against(row, a.x + 1, a.y, height, width, start, head);
      let lowerLeft = against(row, a.x, a.y + 1, height, width, start, head);
      let lowerRight = against(row, a.x + 1, a.y + 1, height, width, start, head);
      let left = 1.0 - a.right;
      let upper = 1.0 - a.lower;
      atWeight = upper * (left * upperLeft + a.right * upperRight) + a.lower * (left * lowerLeft + a.right * lowerRight);
      atX = weights[index] * f32(width) * (upper * (upperRight - upperLeft) + a.lower * (lowerRight - lowerLeft));
      atY = weights[index] * f32(height) * (left * (lowerLeft - upperLeft) + a.right * (lowerRight - upperRight));
    }
    result[2 * index] = atX;
    result[2 * index + 1] = atY;
    result[2 * uniforms.samples + index] = atWeight;
  }
`;

/**
 * Gradient with respect to the value, one thread per element of the output's gradient, which it scatters to the sampled cells.
 * WGSL has no atomic addition of floats, so their bits are updated by compare-and-exchange. The order of additions, and with it
 * the last bits, may differ from run to run.
 */
export const valueGradientSource = (): string => `
  ${AROUND}
  fn addTo(at : i32, amount : f32) {
    var before = atomicLoad(&result[at]);
    loop {
      let sum = bitcast<i32>(bitcast<f32>(before) + amount);
      let exchange = atomicCompareExchangeWeak(&result[at], before, sum);
      if (exchange.exchanged) { break; }
      before = exchange.old_value;
    }
  }

  fn main(index : i32) {
    if (index >= uniforms.samples / (uniforms.levels * uniforms.points) * uniforms.depth) { return; }
    let d = index % uniforms.depth;
    let row = index / uniforms.depth;
    let head = row % uniforms.heads;
    let image = row / (uniforms.heads * uniforms.queries);
    var start = 0;
    for (var l = 0; l < uniforms.levels; l++) {
      let height = spatialShapes[2 * l];
      let width = spatialShapes[2 * l + 1];
      for (var p = 0; p < uniforms.points; p++) {
        let i = (row * uniforms.levels + l) * uniforms.points + p;
        let a = around(i, height, width);
        if (!a.inside) { continue; }
        let amount = gradient[index] * weights[i];
        for (var corner = 0; corner < 4; corner++) {
          let x = a.x + (corner & 1);
          let y = a.y + (corner >> 1);
          if (x < 0 || x >= width || y < 0 || y >= height) { continue; }
          let share = select(1.0 - a.right, a.right, x > a.x) * select(1.0 - a.lower, a.lower, y > a.y);
          let cell = image * uniforms.cells + start + y * width + x;
          addTo((cell * uniforms.heads + head) * uniforms.depth + d, amount * share);
        }
      }
      start += height * width;
    }
  }
`;
