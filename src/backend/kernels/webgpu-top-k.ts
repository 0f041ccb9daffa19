import { sizeOf } from '../../util/index.js';
import type { tf } from '../tf.js';
import { flatProgram, type WebgpuBackend } from './webgpu-backend.js';

/**
 * One thread per element counts the elements of its row that precede it: larger ones, and equal ones with a smaller index, in
 * TensorFlow's order. These are n^2 comparisons, all in parallel, of adjacent values. NaN sorts last.
 */
const INDICES = `
  fn key(i : i32) -> u32 {
    let number = f32(x[i]);
    let bits = select(bitcast<u32>(number), 0u, number == 0.0); // both zeros are one
    if ((bits & 0x7fffffffu) > 0x7f800000u) { return 0u; }
    return select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);
  }

  fn main(index : i32) {
    if (index >= uniforms.numbers) { return; }
    let row = index / uniforms.length;
    let own = index % uniforms.length;
    let mine = key(index);
    var before = 0;
    for (var i = 0; i < uniforms.length; i++) {
      let other = key(row * uniforms.length + i);
      if (other > mine || (other == mine && i < own)) { before++; }
    }
    if (before < uniforms.k) { result[row * uniforms.k + before] = own; }
  }
`;

const VALUES = `
  fn main(index : i32) {
    if (index >= uniforms.size) { return; }
    setOutputAtIndex(index, f32(x[index / uniforms.k * uniforms.length + indices[index]]));
  }
`;

/** Indices of the k largest values of each row: [..., n] f32 or i32 to [..., k] i32. */
export function topKIndices(x: tf.TensorInfo, k: number, backend: WebgpuBackend): tf.TensorInfo {
  const length = x.shape.at(-1) ?? 1;
  const numbers = sizeOf(x.shape);
  const shape = [...x.shape.slice(0, -1), k];
  const program = {
    ...flatProgram('sonogroundTopKIndices', [sizeOf(shape)], numbers),
    variableNames: ['x'],
    uniforms: 'numbers : i32, length : i32, k : i32,',
    getUserCode: () => INDICES,
  };
  const uniforms = [numbers, length, k].map(whole);
  return { ...backend.runWebGPUProgram(program, [flat(x)], 'int32', uniforms), shape };
}

/** The values at these indices, [..., k]. */
export function topKValues(x: tf.TensorInfo, indices: tf.TensorInfo, backend: WebgpuBackend): tf.TensorInfo {
  const size = sizeOf(indices.shape);
  const program = {
    ...flatProgram('sonogroundTopKValues', [size], size),
    variableNames: ['x', 'indices'],
    uniforms: 'length : i32, k : i32,',
    size: true,
    getUserCode: () => VALUES,
  };
  const uniforms = [x.shape.at(-1) ?? 1, indices.shape.at(-1) ?? 1].map(whole);
  return { ...backend.runWebGPUProgram(program, [flat(x), flat(indices)], x.dtype, uniforms), shape: indices.shape };
}

const whole = (number: number) => ({ type: 'int32', data: [number] });

const flat = ({ dataId, shape, dtype }: tf.TensorInfo): tf.TensorInfo => ({ dataId, shape: [sizeOf(shape)], dtype });
