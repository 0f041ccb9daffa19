import { sizeOf } from '../../util/index.js';
import { tf } from '../tf.js';
import { flatProgram, type WebgpuKernelCall } from './webgpu-backend.js';

type Kind = 'sum' | 'product';

/** One thread per row along the axis, addressed by its index in the outer and the inner axes. */
const source = (kind: Kind, type: 'f32' | 'i32'): string => `
  fn main(index : i32) {
    if (index >= uniforms.rows) { return; }
    let first = index / uniforms.behind * uniforms.length * uniforms.behind + index % uniforms.behind;
    var so_far = ${type}(${kind === 'sum' ? 0 : 1});
    for (var step = 0; step < uniforms.length; step++) {
      let place = select(step, uniforms.length - 1 - step, uniforms.reversed == 1);
      let i = first + place * uniforms.behind;
      let next = so_far ${kind === 'sum' ? '+' : '*'} ${type}(x[i]);
      result[i] = select(next, so_far, uniforms.exclusive == 1);
      so_far = next;
    }
  }
`;

/**
 * Cumulative sums or products along one axis, exclusive or inclusive. The package's own starts at the wrong end if reversed, as
 * the gradient needs, and only supports four axes.
 */
export function cumulate(kind: Kind, { inputs, attrs, backend }: WebgpuKernelCall): tf.TensorInfo {
  const x = inputs['x'] as tf.TensorInfo;
  const { axis, exclusive, reverse } = attrs as { axis: number; exclusive: boolean; reverse: boolean };
  const [side = 0] = tf.util.parseAxisParam(axis, x.shape);
  const size = sizeOf(x.shape);
  const length = x.shape[side] ?? 1;
  const rows = size / length;
  const float = x.dtype === 'float32';
  const program = {
    ...flatProgram(`sonogroundCumulated_${kind}_${x.dtype}`, [size], rows),
    variableNames: ['x'],
    uniforms: 'rows : i32, length : i32, behind : i32, exclusive : i32, reversed : i32,',
    getUserCode: () => source(kind, float ? 'f32' : 'i32'),
  };
  const numbers = [rows, length, sizeOf(x.shape.slice(side + 1)), Number(exclusive), Number(reverse)];
  const uniforms = numbers.map((number) => ({ type: 'int32', data: [number] }));
  const flat = { dataId: x.dataId, shape: [size], dtype: x.dtype };
  return { ...backend.runWebGPUProgram(program, [flat], float ? 'float32' : 'int32', uniforms), shape: x.shape };
}
