import { describe, expect, it } from '@jest/globals';
import {
  CapturedFunction,
  CompiledGraph,
  canRunGraphs,
  initBackend,
  Recorder,
  type TracedEdge,
  tf,
  usedFeeds,
} from '../../src/backend/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectError } from '../support/expect-error.js';

useBackend();
await initBackend();
const whereGraphsRun = canRunGraphs() ? it : it.skip;

const edge = (node: TracedEdge['node']): TracedEdge => ({ node, output: 0 });
const numbers = async (tensors: readonly tf.Tensor[]) => Promise.all(tensors.map(async (t) => [...(await t.data())]));

/** Records `fn` over tensors of 2 floats, 2 whole numbers and 2 yes or no, and compiles it. */
async function compiled(fn: (x: tf.Tensor, i: tf.Tensor, b: tf.Tensor) => tf.Tensor[]): Promise<CompiledGraph> {
  const recorder = new Recorder({ existing: 'refuse', merge: true });
  const samples = [tf.tensor1d([1, 2]), tf.tensor1d([3, 4], 'int32'), tf.tensor1d([true, false], 'bool')] as const;
  const feeds = samples.map((tensor, k) => edge(recorder.input(String(k), tensor)));
  let outputs: TracedEdge[] = [];
  tf.tidy(() => {
    outputs = recorder.during(() => fn(...samples).map((tensor) => recorder.edge(tensor)));
  });
  tf.dispose([...samples]);
  return CompiledGraph.compile({ operations: recorder.operations, feeds, outputs });
}

const inputs = () => [tf.tensor1d([0.5, -4]), tf.tensor1d([7, 9], 'int32'), tf.tensor1d([false, true], 'bool')];

describe('a compiled graph', () => {
  whereGraphsRun('keeps the order of inputs and outputs of all types, repeats one and passes one on', async () => {
    const graph = await compiled((x, i, b) => {
      const sum = tf.add(x, tf.cast(i, 'float32'));
      return [b, tf.logicalNot(b), sum, tf.add(i, tf.scalar(1, 'int32')), sum, x];
    });
    const outputs = graph.run(inputs());
    expect(outputs.map(({ dtype }) => dtype)).toEqual(['bool', 'bool', 'float32', 'int32', 'float32', 'float32']);
    expect(await numbers(outputs)).toEqual([
      [0, 1],
      [1, 0],
      [7.5, 5],
      [8, 10],
      [7.5, 5],
      [0.5, -4],
    ]);
    graph.dispose();
  });

  whereGraphsRun('gives the numbers of the single operations, the same ones at each run', async () => {
    const values = Float32Array.from({ length: 400 }, (_, k) => Math.fround(Math.sin(k) * 3));
    const compute = (x: tf.Tensor) => {
      const square = tf.reshape(x, [20, 20]) as tf.Tensor2D;
      return tf.softmax(tf.add(tf.matMul(square, square, false, true), tf.mean(square, 1, true)));
    };
    const captured = new CapturedFunction(({ x }) => ({ y: compute(x as tf.Tensor) }), true);
    const x = tf.tensor1d(values);
    const { y } = await captured.run({ x });
    // To the last bit, although TensorFlow has another softmax for graphs.
    expect(await (y as tf.Tensor).data()).toEqual(await compute(x).data());
    const again = (await captured.run({ x }))['y'] as tf.Tensor;
    expect(await again.data()).toEqual(await (y as tf.Tensor).data());
    captured.dispose();
  });

  whereGraphsRun('refuses tensors of another shape and runs no more once it is disposed', async () => {
    const graph = await compiled((x) => [tf.matMul(tf.reshape(x, [1, 2]), tf.reshape(x, [2, 1]))]);
    const [, i, b] = inputs() as [tf.Tensor, tf.Tensor, tf.Tensor];
    expect(() => graph.run([tf.tensor1d([1, 2, 3]), i, b])).toThrow(/reshape/i);
    graph.dispose();
    expect(() => graph.run(inputs())).toThrow(/there is none of number/);
  });

  whereGraphsRun('runs in the recorded order with the same result', async () => {
    const recorder = new Recorder({ existing: 'refuse', merge: true });
    const x = tf.tensor1d([1, 2, 3]);
    const feeds = [edge(recorder.input('x', x)), edge(recorder.input('unused', tf.tensor1d([1])))];
    const outputs = recorder.during(() => {
      const branches = [tf.square(x), tf.exp(x), tf.neg(x)].map((y) => tf.softmax(y));
      return [recorder.edge(tf.addN(branches))];
    });
    const part = { operations: recorder.operations, feeds, outputs };
    expect(usedFeeds(part)).toEqual([0]);
    const [free, ordered] = [await CompiledGraph.compile(part), await CompiledGraph.compile({ ...part, sequential: true })];
    const run = (graph: CompiledGraph) => numbers(graph.run([x, tf.tensor1d([1])]));
    expect(await run(ordered)).toEqual(await run(free));
    free.dispose();
    ordered.dispose();
  });

  whereGraphsRun('refuses indices out of range, as single operations do', async () => {
    const captured = new CapturedFunction(({ x, i }) => ({ y: tf.gather(x as tf.Tensor, i as tf.Tensor1D) }), true);
    const x = tf.tensor1d([5, 6, 7]);
    const { y } = await captured.run({ x, i: tf.tensor1d([2, 0], 'int32') });
    expect(await numbers([y as tf.Tensor])).toEqual([[7, 5]]);
    await expect(captured.run({ x, i: tf.tensor1d([2, 3], 'int32') })).rejects.toThrow(/not in \[0, 3\)/);
    captured.dispose();
  });

  whereGraphsRun('is not made of a function that reads values, after which others read as before', async () => {
    const captured = new CapturedFunction(({ x }) => ({ y: tf.mul(x as tf.Tensor, (x as tf.Tensor).dataSync().length) }), true);
    const x = tf.tensor1d([1, 2]);
    await expectError(captured.run({ x }), { code: 'E_GRAPH_UNRECORDABLE', where: 'trace', what: 'read on the host' });
    expect([...x.dataSync(), ...(await x.data())]).toEqual([1, 2, 1, 2]);
  });

  whereGraphsRun.each([
    ['was used before', true],
    ['is used for the first time', false],
  ])('refuses a function that reads a tensor outside its inputs which %s', async (_what, used) => {
    const outside = tf.tensor1d([1, 2]);
    if (used) await tf.square(outside).data();
    const captured = new CapturedFunction(({ x }) => ({ y: tf.add(x as tf.Tensor, outside) }), true);
    await expectError(captured.run({ x: tf.tensor1d([1, 2]) }), {
      code: 'E_GRAPH_UNRECORDABLE',
      where: 'trace',
      what: 'made outside of the function',
    });
  });

  whereGraphsRun('leaves no tensor behind', async () => {
    const captured = new CapturedFunction(({ x }) => ({ y: tf.square(x as tf.Tensor) }), true);
    const x = tf.tensor1d([1, 2]);
    const once = async () => tf.dispose((await captured.run({ x }))['y'] as tf.Tensor);
    expect(await leakOf(once)).toBe(0);
    expect(await leakOf(once)).toBe(0);
    captured.dispose();
  });
});
