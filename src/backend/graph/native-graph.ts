import { messageBytes } from '../../util/index.js';
import type { NativeAttribute, NativeBackend } from '../kernels/index.js';
import { nativeOps } from '../native-ops.js';
import { tf } from '../tf.js';
import type { GraphNode } from './graph.js';
import { graphMessage } from './graph-def.js';
import type { TracedDtype } from './traced.js';

/** A fed or fetched tensor: `node:output`. */
export interface NativePort {
  readonly name: string;
  readonly dtype: TracedDtype;
}

export interface NativeGraphParts {
  readonly nodes: readonly GraphNode[];
  readonly feeds: readonly NativePort[];
  /** Distinct, and disjoint from the feeds. */
  readonly fetches: readonly NativePort[];
  /** Run all operations on the calling thread; each may still split its own work. */
  readonly inCaller: boolean;
}

/** The types in the order of the operation's inputs and outputs, with the attributes for their counts. */
const ORDER = [
  ['float32', 'float'],
  ['int32', 'int'],
  ['bool', 'bool'],
] as const satisfies readonly (readonly [TracedDtype, string])[];

/** Whether graphs are supported: with TensorFlow on a CPU, if this project's operations are loaded. */
export function canRunGraphs(): boolean {
  return tf.getBackend() === 'tensorflow' && nativeOps().names.includes('graphs');
}

/** A graph on the native side, see `native/graph.cc`. */
export class NativeGraph {
  private readonly number: number;
  private readonly attributes: readonly NativeAttribute[];
  /** Indices of feeds and fetches, in the operation's order. */
  private readonly feeds: readonly number[];
  private readonly fetches: readonly number[];

  private constructor(number: number, parts: NativeGraphParts) {
    this.number = number;
    this.feeds = inOrder(parts.feeds);
    this.fetches = inOrder(parts.fetches);
    this.attributes = [
      ...ORDER.map(([dtype, name]) => int(`${name}_feeds`, parts.feeds.filter((port) => port.dtype === dtype).length)),
      ...ORDER.map(([dtype, name]) => int(`${name}_fetches`, parts.fetches.filter((port) => port.dtype === dtype).length)),
      int('graph', number),
    ];
  }

  /** @throws Error with TensorFlow's message when the graph is invalid. */
  static async make(parts: NativeGraphParts): Promise<NativeGraph> {
    const bytes = await messageBytes(graphMessage(parts.nodes));
    const words = new Int32Array(Math.ceil(bytes.length / 4));
    new Uint8Array(words.buffer).set(bytes);
    const definition = tf.tensor1d(words, 'int32');
    const names = (ports: readonly NativePort[]) => inOrder(ports).map((i) => (ports[i] as NativePort).name);
    try {
      const made = native().executeSingleOutput(
        'SonogroundMakeGraph',
        [
          int('bytes', bytes.length),
          text('feeds', names(parts.feeds).join()),
          text('fetches', names(parts.fetches).join()),
          { name: 'in_caller', type: native().binding.TF_ATTR_BOOL, value: parts.inCaller },
        ],
        [definition],
      ) as tf.Tensor;
      const [number = 0] = await made.data();
      made.dispose();
      return new NativeGraph(number, parts);
    } finally {
      definition.dispose();
    }
  }

  /** @returns the fetched tensors, in the order of the parts; they belong to the caller. */
  run(feeds: readonly tf.Tensor[]): tf.Tensor[] {
    const given = this.feeds.map((i) => feeds[i] as tf.Tensor);
    const results = native().executeMultipleOutputs('SonogroundRunGraph', this.attributes, given, this.fetches.length);
    const ordered: tf.Tensor[] = [];
    for (const [k, i] of this.fetches.entries()) ordered[i] = results[k] as tf.Tensor;
    return ordered;
  }

  dispose(): void {
    (native().executeSingleOutput('SonogroundDropGraph', [int('graph', this.number)], []) as tf.Tensor).dispose();
  }
}

function inOrder(ports: readonly NativePort[]): number[] {
  return ORDER.flatMap(([dtype]) => ports.flatMap((port, i) => (port.dtype === dtype ? [i] : [])));
}

function native(): NativeBackend {
  return tf.backend() as unknown as NativeBackend;
}

function int(name: string, value: number): NativeAttribute {
  return { name, type: native().binding.TF_ATTR_INT, value };
}

function text(name: string, value: string): NativeAttribute {
  return { name, type: native().binding.TF_ATTR_STRING, value };
}
