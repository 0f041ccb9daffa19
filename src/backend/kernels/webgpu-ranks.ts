import { sizeOf } from '../../util/index.js';
import { tf } from '../tf.js';
import { runKernelOn, type WebgpuKernel } from './webgpu-backend.js';

/** From this rank on, the package's programs that address single coordinates fail to compile or do not exist. */
const MANY = 5;

type Attributes = Readonly<Record<string, unknown>>;

/** The axes that a call operates on, each with the attributes for the same kernel on the middle one of three axes. */
type Passes = (attributes: Attributes, rank: number) => readonly (readonly [axis: number, attributes: Attributes])[];

/** Kernels that can process one axis after another, with all axes before and all axes after it merged. */
const SIDE_BY_SIDE: Readonly<Record<string, Passes>> = {
  PadV2: padded,
  MirrorPad: padded,
  Tile: ({ reps }) =>
    (reps as number[]).flatMap((times, axis) => (times === 1 ? [] : [[axis, { reps: [1, times, 1] }] as const])),
  Reverse: ({ dims }, rank) => tf.util.parseAxisParam(dims as number[], new Array(rank)).map((axis) => [axis, { dims: [1] }]),
};

function padded({ paddings, ...rest }: Attributes): ReturnType<Passes> {
  const edges = paddings as readonly (readonly [number, number])[];
  return edges.flatMap((edge, axis) => {
    const none = [0, 0] as const;
    return edge[0] === 0 && edge[1] === 0 ? [] : [[axis, { ...rest, paddings: [none, edge, none] }] as const];
  });
}

/** Kernels with broadcast inputs `a` and `b`. */
const ELEMENT_BY_ELEMENT = [
  ...['Add', 'Sub', 'Multiply', 'RealDiv', 'FloorDiv', 'Mod', 'Pow', 'Maximum', 'Minimum', 'SquaredDifference', 'Atan2'],
  ...['Equal', 'NotEqual', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'LogicalAnd', 'LogicalOr'],
] as const;

/** Kernels for rank five and more, by name: each reduces the rank and calls the package's own. */
export const rankRepairs: Readonly<Record<string, (stock: WebgpuKernel) => WebgpuKernel>> = {
  ...Object.fromEntries(Object.entries(SIDE_BY_SIDE).map(([name, passes]) => [name, sideBySide(passes)])),
  ...Object.fromEntries(ELEMENT_BY_ELEMENT.map((name) => [name, withFewerSides])),
};

function sideBySide(passes: Passes): (stock: WebgpuKernel) => WebgpuKernel {
  return (stock) => (call) => {
    const { backend, inputs } = call;
    const x = inputs['x'] as tf.TensorInfo;
    if (x.shape.length < MANY) return stock(call);
    let current = runKernelOn(backend, 'Identity', { x }, {});
    for (const [axis, attrs] of passes(call.attrs, x.shape.length)) {
      const { dataId, shape, dtype } = current;
      const [before, behind] = [shape.slice(0, axis), shape.slice(axis + 1)];
      const three = { dataId, shape: [sizeOf(before), shape[axis] as number, sizeOf(behind)], dtype };
      const result = stock({ backend, inputs: { x: three }, attrs }) as tf.TensorInfo;
      backend.disposeData(dataId);
      current = { ...result, shape: [...before, result.shape[1] as number, ...behind] };
    }
    return current;
  };
}

function withFewerSides(stock: WebgpuKernel): WebgpuKernel {
  return (call) => {
    const { a, b } = call.inputs as Readonly<Record<'a' | 'b', tf.TensorInfo>>;
    const rank = Math.max(a.shape.length, b.shape.length);
    if (rank < MANY) return stock(call);
    const shapes = [a, b].map(({ shape }) => [...new Array<number>(rank - shape.length).fill(1), ...shape]);
    const [ofA, ofB] = merged(shapes as [number[], number[]]);
    const result = stock({ ...call, inputs: { a: { ...a, shape: ofA }, b: { ...b, shape: ofB } } }) as tf.TensorInfo;
    const [first, second] = shapes as [number[], number[]];
    return { ...result, shape: first.map((side, i) => (side === 1 ? (second[i] as number) : side)) };
  };
}

/** Merges adjacent axes that both tensors have, or that only one and the same tensor has. */
function merged([first, second]: readonly [number[], number[]]): [number[], number[]] {
  const [ofA, ofB]: [number[], number[]] = [[], []];
  let before = '';
  for (const [i, a] of first.entries()) {
    const b = second[i] as number;
    if (a === 1 && b === 1) continue;
    const kind = a === b ? 'both' : a === 1 ? 'second' : 'first';
    const last = ofA.length - 1;
    if (kind === before) [ofA[last], ofB[last]] = [(ofA[last] as number) * a, (ofB[last] as number) * b];
    else {
      ofA.push(a);
      ofB.push(b);
    }
    before = kind;
  }
  return ofA.length === 0 ? [[1], [1]] : [ofA, ofB];
}
