/**
 * Linear layers by each GEMM: TensorFlow's `MatMul` and `_FusedMatMul`, by Eigen and by oneDNN, and the project's own.
 *
 *   node bench/gemm.mjs [rounds]
 *
 * Prints the table of docs/decisions/0028-gemm.md. All ways take turns, each in a process that was started with its settings, and
 * are timed in processor seconds, which other work on the machine disturbs least; GFLOP/s are medians, and the ratio is the median
 * over the rounds of a way's rate by that of the project's. One thread, unless TF_NUM_INTRAOP_THREADS names more. Errors are the
 * root of the mean square, each relative to the sum of magnitudes of its terms, against sums in double precision.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { dist, prepare } from './lib/dist.mjs';

/** Rows, inputs, outputs: an MLP of Hiera, the first stage of Swin, the queries of a decoder. */
const SHAPES = [
  [4096, 384, 1536],
  [65536, 96, 384],
  [900, 256, 256],
];
/** Floating-point operations of one sample, at least. */
const SAMPLE = 3e9;
/** How many rows are computed alone, to be compared with the same rows among all. */
const FEW = [1, 7, 100, 300];

const [wish = '7'] = process.argv.slice(2);
if (wish !== 'side' && !/^[1-9]\d*$/.test(wish)) {
  console.error(`gemm: rounds: expected an integer above 0, got "${wish}". Run \`node bench/gemm.mjs 7\``);
  process.exit(2);
}
await prepare();
if (wish === 'side') await answer();
else await compare(Number(wish));

/** Runs all ways in turns and prints the table. */
async function compare(rounds) {
  const [eigen, onednn] = [start({ TF_ENABLE_ONEDNN_OPTS: '0' }), start({ TF_ENABLE_ONEDNN_OPTS: '1' })];
  const sides = [eigen, onednn];
  const { kind } = await onednn.ask({ what: 'kind' });
  const ways = [
    [`ours, ${kind}`, onednn, 'own'],
    ['MatMul, Eigen', eigen, 'matMul'],
    ['MatMul, oneDNN', onednn, 'matMul'],
    ['_FusedMatMul, Eigen', eigen, 'fused'],
    ['_FusedMatMul, oneDNN', onednn, 'fused'],
  ];
  if (kind === 'amx') {
    sides.push(start({ TF_ENABLE_ONEDNN_OPTS: '1', SONOGROUND_VECTORS: 'avx512' }));
    ways.splice(1, 0, ['ours, avx512', sides[2], 'own']);
  }
  const rows = [
    ['rows x in x out', 'product', 'GFLOP/s', 'middle half', 'of ours', 'middle half', 'error', 'a row among few rows'],
  ];
  for (const shape of SHAPES) {
    const facts = [];
    for (const [, side, way] of ways) facts.push(await side.ask({ what: 'facts', way, shape }));
    const rates = ways.map(() => []);
    for (let round = 0; round < rounds; round++)
      for (const [i, [, side, way]] of ways.entries()) rates[i].push((await side.ask({ what: 'time', way, shape })).rate);
    for (const [i, [name]] of ways.entries()) {
      const ratios = rates[i].map((rate, round) => rate / rates[0][round]);
      const { error, differing } = facts[i];
      const stable = differing === 0 ? 'same bits' : `${(100 * differing).toFixed(0)} % of results differ`;
      const spread = (values, digits) => [0.25, 0.75].map((q) => quantile(values, q).toFixed(digits)).join(' to ');
      rows.push([
        shape.join(' x '),
        name,
        quantile(rates[i], 0.5).toFixed(0),
        spread(rates[i], 0),
        quantile(ratios, 0.5).toFixed(2),
        spread(ratios, 2),
        error.toExponential(1),
        stable,
      ]);
    }
  }
  for (const { end } of sides) end();
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  rows.splice(
    1,
    0,
    widths.map((width) => '-'.repeat(width)),
  );
  for (const row of rows) console.log(`| ${row.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`);
}

function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round(q * (sorted.length - 1))];
}

/** A process with its own settings, which answers a line of JSON with a line of JSON. */
function start(settings) {
  const env = { TF_NUM_INTRAOP_THREADS: '1', TF_NUM_INTEROP_THREADS: '1', ...process.env, ...settings };
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'side'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (question) => {
    child.stdin.write(`${JSON.stringify(question)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error('a side ended before it answered');
    return JSON.parse(value);
  };
  return { ask, end: () => child.stdin.end() };
}

/** The other process: computes what it is asked for. */
async function answer() {
  const { initBackend, tf } = await dist('backend/index.js');
  const { nativeLinear } = await dist('backend/kernels/index.js');
  const { messageBytes, ProtoWriter } = await dist('util/index.js');
  await initBackend('tensorflow');
  const backend = tf.backend();
  const { TF_ATTR_INT, TF_ATTR_STRING } = backend.binding;
  const int = (name, value) => ({ name, type: TF_ATTR_INT, value });
  const text = (name, value) => ({ name, type: TF_ATTR_STRING, value });
  const graph = await fusedGraph();
  const cases = new Map();

  for await (const line of createInterface({ input: process.stdin })) {
    const { what, way, shape } = JSON.parse(line);
    const replies = { kind: () => ({ kind: kindOfKernels() }), time: () => time(way, shape), facts: () => facts(way, shape) };
    console.log(JSON.stringify(await replies[what]()));
  }

  function kindOfKernels() {
    const name = backend.executeSingleOutput('SonogroundProcessor', [], []);
    return new TextDecoder().decode(backend.readSync(name.dataId)[0]);
  }

  /** The same numbers in every process. */
  function tensors(shape) {
    const key = shape.join();
    if (!cases.has(key)) {
      const [rows, inputs, outputs] = shape;
      const normal = (size, seed) => tf.randomNormal(size, 0, 1, 'float32', seed);
      cases.set(key, { x: normal([rows, inputs], 1), weight: normal([outputs, inputs], 2), bias: tf.zeros([outputs]) });
    }
    return cases.get(key);
  }

  function product(way, { x, weight, bias }) {
    if (way === 'own') return nativeLinear({ x, weight, bias });
    if (way === 'matMul') return tf.matMul(x, weight, false, true);
    const counts = ['float', 'int', 'bool'].flatMap((type) => [
      int(`${type}_feeds`, type === 'float' ? 3 : 0),
      int(`${type}_fetches`, type === 'float' ? 1 : 0),
    ]);
    return backend.executeSingleOutput('SonogroundRunGraph', [...counts, int('graph', graph)], [x, weight, bias]);
  }

  function time(way, shape) {
    const flop = shape.reduce((a, b) => a * b, 2);
    const times = Math.max(1, Math.ceil(SAMPLE / flop));
    const given = tensors(shape);
    const begin = process.cpuUsage();
    for (let i = 0; i < times; i++) tf.dispose(product(way, given));
    const { user, system } = process.cpuUsage(begin);
    return { rate: (times * flop) / 1e3 / (user + system) };
  }

  /** The error of some results, and the share of results that are others when few rows are computed. */
  async function facts(way, shape) {
    const given = tensors(shape);
    const [rows, inputs, outputs] = shape;
    const whole = await product(way, given).data();
    const [x, weight] = [await given.x.data(), await given.weight.data()];
    let squares = 0;
    const some = 40;
    for (let i = 0; i < some; i++)
      for (let j = 0; j < some; j++) {
        const [row, output] = [Math.floor((i * rows) / some), Math.floor((j * outputs) / some)];
        let [sum, size] = [0, 0];
        for (let k = 0; k < inputs; k++) {
          const term = x[row * inputs + k] * weight[output * inputs + k];
          sum += term;
          size += Math.abs(term);
        }
        squares += ((whole[row * outputs + output] - sum) / size) ** 2;
      }
    let differing = 0;
    for (const few of FEW) {
      const alone = await product(way, { ...given, x: tf.slice(given.x, 0, few) }).data();
      differing = Math.max(differing, alone.reduce((count, value, i) => count + (value === whole[i] ? 0 : 1), 0) / alone.length);
    }
    return { error: Math.sqrt(squares / some ** 2), differing };
  }

  /**
   * A graph of one `_FusedMatMul`: the binding's eager interface cannot pass its list of strings.
   *
   * @see tensorflow/core/framework/graph.proto, node_def.proto and attr_value.proto
   */
  async function fusedGraph() {
    const type = (node) => node.entry(5, 'dtype', (value) => value.int(6, 1));
    const message = new ProtoWriter();
    for (const name of ['x', 'weight', 'bias']) message.message(1, (node) => type(node.text(1, name).text(2, 'Placeholder')));
    message.message(1, (node) => {
      node.text(1, 'y').text(2, '_FusedMatMul');
      for (const name of ['x', 'weight', 'bias']) node.text(3, name);
      node.entry(5, 'T', (value) => value.int(6, 1)).entry(5, 'num_args', (value) => value.int(3, 1));
      node.entry(5, 'transpose_b', (value) => value.bool(5, true));
      node.entry(5, 'fused_ops', (value) => value.message(1, (list) => list.text(2, 'BiasAdd')));
    });
    message.message(4, (versions) => versions.int(1, 1645));
    const bytes = await messageBytes(message);
    const words = new Int32Array(Math.ceil(bytes.length / 4));
    new Uint8Array(words.buffer).set(bytes);
    const attributes = [int('bytes', bytes.length), text('feeds', 'x:0,weight:0,bias:0'), text('fetches', 'y:0')];
    const [number] = await backend.executeSingleOutput('SonogroundMakeGraph', attributes, [tf.tensor1d(words, 'int32')]).data();
    return number;
  }
}
