/** The products of a pass, and the rate of products on this machine: together the floor under its time. */

const sizeOf = (shape) => shape.reduce((a, b) => a * b, 1);

/** Operations of the products in one kernel call, from its shapes. Everything other than a matrix product counts as none. */
function operations({ name, inputShapes, outputShapes: [out = []] }) {
  const [a = [], b = [], , rows = [], keys = []] = inputShapes;
  switch (name) {
    case 'BatchMatMul':
    case 'SonogroundLinear': {
      const batch = sizeOf(out.slice(0, -2));
      return 2 * Math.sqrt((sizeOf(a) * sizeOf(b) * sizeOf(out)) / batch);
    }
    case 'SonogroundMlp':
      return 2 * (a[0] * sizeOf(b) + a[0] * sizeOf(inputShapes[3]));
    case 'Conv2D':
      return (2 * sizeOf(out) * sizeOf(b)) / b.at(-1);
    case 'SonogroundAttention': {
      const [groups, n] = rows;
      const [queries, tokens] = [n || a[0] / groups, keys[1] || b[0] / groups];
      return 4 * groups * queries * tokens * out[1];
    }
    default:
      return 0;
  }
}

/** GFLOP of the products in what `pass` runs. */
export async function gigaflops(tf, pass) {
  const { kernels } = await tf.profile(async () => {
    await pass();
    return tf.scalar(0);
  });
  return kernels.reduce((sum, kernel) => sum + operations(kernel), 0) / 1e9;
}

/** GFLOP a second of large products on all threads, TensorFlow's and where there are, our own: the best of a few. */
export function matrixRate(tf, ownProduct) {
  const n = 1536;
  const [a, b, none] = [tf.randomNormal([n, n]), tf.randomNormal([n, n]), tf.zeros([n])];
  const products = [() => tf.matMul(a, b), ...(ownProduct ? [() => ownProduct({ x: a, weight: b, bias: none })] : [])];
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 8; i++)
    for (const product of products) {
      const begin = performance.now();
      product().dispose();
      best = Math.min(best, (performance.now() - begin) / 1000);
    }
  tf.dispose([a, b, none]);
  return (2 * n ** 3) / 1e9 / best;
}
