import type { tf } from '../tf.js';
import { completeAttributes, typeAttribute } from './attributes.js';
import type { GraphNode } from './graph.js';
import { NativeGraph, type NativePort } from './native-graph.js';
import type { TracedConstant, TracedEdge, TracedNode, TracedOperation } from './traced.js';
import { portOf } from './traces.js';

/** The operations, inputs and outputs of a compiled graph. */
export interface GraphPart {
  /** Recorded operations in topological order. Those that no output needs are dropped. */
  readonly operations: readonly TracedOperation[];
  /** Inputs, in order. Ancestors of a fed edge are not computed. */
  readonly feeds: readonly TracedEdge[];
  readonly outputs: readonly TracedEdge[];
  /**
   * Run the operations one after another in the recorded order, which bounds memory as that order does, and saves handing work
   * between threads. Otherwise independent operations run in parallel. Default: false.
   */
  readonly sequential?: boolean;
}

/**
 * Recorded operations as a single TensorFlow function: no JavaScript runs in between. The results equal those of the single
 * operations, and are reproducible; only where TensorFlow fuses operations, as in gradients, do the last bits differ.
 */
export class CompiledGraph {
  private readonly graph: NativeGraph;
  /** Index of the fetched value of each output: each edge is fetched once. */
  private readonly fetched: readonly number[];

  private constructor(graph: NativeGraph, fetched: readonly number[]) {
    this.graph = graph;
    this.fetched = fetched;
  }

  /** Compiles part of a recording. */
  static async compile({ operations, feeds, outputs, sequential = false }: GraphPart): Promise<CompiledGraph> {
    const writer = new NodeWriter(feeds, sequential);
    for (const operation of neededOf(operations, feeds, outputs)) writer.add(operation);
    const { fetches, fetched } = writer.fetch(outputs);
    const graph = await NativeGraph.make({
      nodes: writer.nodes,
      feeds: feeds.map((edge, i) => ({ name: `${feedName(i)}:0`, dtype: portOf(edge).dtype })),
      fetches,
      inCaller: sequential,
    });
    return new CompiledGraph(graph, fetched);
  }

  /**
   * Computes the outputs.
   *
   * @param feeds - in the compiled order and shapes; they stay the caller's.
   * @returns the outputs in order; they belong to the caller. An output requested twice is returned as two tensors that share
   * memory.
   */
  run(feeds: readonly tf.Tensor[]): tf.Tensor[] {
    const tensors = this.graph.run(feeds);
    const taken = new Set<number>();
    return this.fetched.map((k) => {
      const tensor = tensors[k] as tf.Tensor;
      if (taken.has(k)) return tensor.clone();
      taken.add(k);
      return tensor;
    });
  }

  dispose(): void {
    this.graph.dispose();
  }
}

interface Fetches {
  readonly fetches: readonly NativePort[];
  /** Index of the fetched value of each output. */
  readonly fetched: readonly number[];
}

function feedName(i: number): string {
  return `feed${i}`;
}

function keyOf({ node, output }: TracedEdge, numbers: Map<TracedNode, number>): string {
  const number = numbers.get(node) ?? numbers.size;
  numbers.set(node, number);
  return `${number}:${output}`;
}

/** Indices of the feeds that the outputs depend on. */
export function usedFeeds({ operations, feeds, outputs }: GraphPart): number[] {
  const numbers = new Map<TracedNode, number>();
  const edges = [...neededOf(operations, feeds, outputs).flatMap(({ inputs }) => inputs), ...outputs];
  const read = new Set(edges.map((edge) => keyOf(edge, numbers)));
  return feeds.flatMap((feed, i) => (read.has(keyOf(feed, numbers)) ? [i] : []));
}

/** An operation as a node: oneDNN's softmax, which TensorFlow uses in graphs only, has other last bits. */
function inGraph(operation: TracedOperation): Pick<GraphNode, 'op' | 'attributes'> {
  if (operation.op === 'Softmax' && operation.dtypes[0] === 'float32') return { op: 'SonogroundSoftmax', attributes: [] };
  return { op: operation.op, attributes: completeAttributes(operation) };
}

/** The operations needed to compute the outputs from the feeds. */
function neededOf(
  operations: readonly TracedOperation[],
  feeds: readonly TracedEdge[],
  outputs: readonly TracedEdge[],
): readonly TracedOperation[] {
  const numbers = new Map<TracedNode, number>();
  const given = new Set(feeds.map((edge) => keyOf(edge, numbers)));
  const wanted = new Set<TracedNode>();
  const want = (edge: TracedEdge) => {
    if (!given.has(keyOf(edge, numbers))) wanted.add(edge.node);
  };
  outputs.forEach(want);
  for (const operation of [...operations].reverse()) if (wanted.has(operation)) operation.inputs.forEach(want);
  return operations.filter((operation) => wanted.has(operation));
}

/** Converts recorded operations to nodes of a GraphDef. */
class NodeWriter {
  readonly nodes: GraphNode[] = [];
  private readonly numbers = new Map<TracedNode, number>();
  private readonly fed = new Map<string, string>();
  private readonly names = new Map<TracedNode, string>();
  private readonly sequential: boolean;
  private last: string | undefined;

  constructor(feeds: readonly TracedEdge[], sequential: boolean) {
    this.sequential = sequential;
    for (const [i, edge] of feeds.entries()) {
      const { dtype, shape } = portOf(edge);
      const name = feedName(i);
      this.nodes.push({
        name,
        op: 'Placeholder',
        inputs: [],
        attributes: [typeAttribute('dtype', dtype), { name: 'shape', kind: 'shape', value: shape }],
      });
      this.fed.set(keyOf(edge, this.numbers), name);
    }
  }

  add(operation: TracedOperation): void {
    const inputs = operation.inputs.map((edge) => this.source(edge));
    const name = `op${this.names.size}`;
    const after = this.sequential && this.last !== undefined ? [`^${this.last}`] : [];
    const { op, attributes } = inGraph(operation);
    this.nodes.push({ name, op, inputs: [...inputs, ...after], attributes });
    this.names.set(operation, name);
    this.last = name;
  }

  /** TensorFlow fetches each edge only once, and no fed edge: those pass through an identity node. */
  fetch(outputs: readonly TracedEdge[]): Fetches {
    const fetches: NativePort[] = [];
    const places = new Map<string, number>();
    const fetched = outputs.map((edge) => {
      const key = keyOf(edge, this.numbers);
      const known = places.get(key);
      if (known !== undefined) return known;
      const source = this.source(edge);
      const name = this.fed.has(key) || edge.node.kind !== 'operation' ? this.identity(source, edge) : source;
      fetches.push({ name: name.includes(':') ? name : `${name}:0`, dtype: portOf(edge).dtype });
      places.set(key, fetches.length - 1);
      return fetches.length - 1;
    });
    return { fetches, fetched };
  }

  private identity(source: string, edge: TracedEdge): string {
    const name = `same${this.nodes.length}`;
    this.nodes.push({ name, op: 'Identity', inputs: [source], attributes: [typeAttribute('T', portOf(edge).dtype)] });
    return name;
  }

  private source(edge: TracedEdge): string {
    const fed = this.fed.get(keyOf(edge, this.numbers));
    if (fed !== undefined) return fed;
    const name = this.names.get(edge.node) ?? this.constant(edge.node as TracedConstant);
    return edge.output === 0 ? name : `${name}:${edge.output}`;
  }

  private constant(node: TracedConstant): string {
    const { dtype, shape, read } = node;
    const name = `constant${this.names.size}`;
    const attributes = [typeAttribute('dtype', dtype)];
    this.nodes.push({ name, op: 'Const', inputs: [], attributes, constant: { dtype, shape, weight: false, read } });
    this.names.set(node, name);
    return name;
  }
}
