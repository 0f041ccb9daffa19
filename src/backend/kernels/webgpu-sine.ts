import { sizeOf } from '../../util/index.js';
import type { tf } from '../tf.js';
import { flatProgram, type WebgpuBackend } from './webgpu-backend.js';

/**
 * Sine and cosine to float32 precision up to some thousands of turns. WebGPU only guarantees 2^-11, and only within half a turn,
 * which is too coarse for position encodings.
 *
 * The argument is reduced by quarter turns in three parts (Cody-Waite), the first two of which have few enough bits for an exact
 * product.
 */
const source = (name: 'sin' | 'cos'): string => `
  fn main(index : i32) {
    if (index >= uniforms.size) { return; }
    let x = x[index];
    let quarters = round(x * 0.636619772367581343);
    var r = ((x - quarters * 1.5703125) - quarters * 4.837512969970703125e-4) - quarters * 7.549789954892e-8;
    let s = r * r;
    let sine = r + r * s * (-1.6666654611e-1 + s * (8.3321608736e-3 - s * 1.9515295891e-4));
    let cosine = 1.0 - 0.5 * s + s * s * (4.166664568298827e-2 + s * (-1.388731625493765e-3 + s * 2.443315711809948e-5));
    let quarter = (i32(quarters) ${name === 'cos' ? '+ 1' : ''}) & 3;
    let size = select(sine, cosine, (quarter & 1) == 1);
    setOutputAtIndex(index, select(size, -size, (quarter & 2) == 2));
  }
`;

/** Runs the program on an input of any shape. */
export function sineProgram(name: 'sin' | 'cos', x: tf.TensorInfo, backend: WebgpuBackend): tf.TensorInfo {
  const size = sizeOf(x.shape);
  const program = {
    ...flatProgram(`sonoground_${name}`, [size], size),
    variableNames: ['x'],
    uniforms: '',
    size: true,
    getUserCode: () => source(name),
  };
  const flat = { dataId: x.dataId, shape: [size], dtype: x.dtype };
  return { ...backend.runWebGPUProgram(program, [flat], 'float32', []), shape: x.shape };
}
