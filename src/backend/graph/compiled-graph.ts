import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tf } from '../tf.js';
import { completeAttributes, typeAttribute } from './attributes.js';
import type { GraphNode } from './graph.js';
import { savedModelMessage } from './graph-def.js';
import { writeMessage } from './protobuf.js';
import type { Metadata } from './recorder.js';
import type { TracedConstant, TracedEdge, TracedNode, TracedOperation } from './traced.js';
import { portOf } from './traces.js';

/** The part of the native backend that runs graphs. */
interface GraphBackend {
  readonly binding: {
    loadSavedModel(dir: string, tags: string): number;
    deleteSavedModel(id: number): void;
    runSavedModel(id: number, inputs: readonly number[], inputNames: string, outputNames: string): Metadata[];
  };
  getInputTensorIds(tensors: readonly tf.TensorInfo[]): number[];
  createOutputTensor(metadata: Metadata): tf.Tensor;
}

/** What a compiled graph computes, from what. */
export interface GraphPart {
  /** Recorded operations, each after those that it reads. Those that no output needs are left out. */
  readonly operations: readonly TracedOperation[];
  /** What is fed, in this order. What comes before a fed edge is not computed. */
  readonly feeds: readonly TracedEdge[];
  readonly outputs: readonly TracedEdge[];
}

/**
 * Recorded operations as one function of TensorFlow: nothing of JavaScript runs between them, and what does not depend on each
 * other runs at the same time. TensorFlow's optimiser may fuse and reorder operations, so that sums differ in their last bits
 * from those of single operations; runs of one compiled graph do not differ.
 */
export class CompiledGraph {
  private readonly id: number;
  private readonly inputNames: string;
  private readonly outputNames: string;
  /** Which fetched value each output is: an edge is fetched once. */
  private readonly fetched: readonly number[];

  private constructor(id: number, feeds: readonly string[], { names, fetched }: Fetches) {
    this.id = id;
    this.inputNames = feeds.join();
    this.outputNames = names.join();
    this.fetched = fetched;
  }

  /** Compiles a part of what was recorded. */
  static async compile({ operations, feeds, outputs }: GraphPart): Promise<CompiledGraph> {
    const writer = new NodeWriter(feeds);
    for (const operation of neededOf(operations, feeds, outputs)) writer.add(operation);
    const fetches = writer.fetch(outputs);
    const dir = await mkdtemp(join(tmpdir(), 'sonoground-graph-'));
    try {
      await writeMessage(join(dir, 'saved_model.pb'), savedModelMessage({ nodes: writer.nodes, signatures: {} }));
      const id = native().binding.loadSavedModel(dir, 'serve');
      return new CompiledGraph(
        id,
        feeds.map((_, i) => `${feedName(i)}:0`),
        fetches,
      );
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }

  /**
   * Computes the outputs.
   *
   * @param feeds - in the order and of the shapes that were compiled; they stay the caller's.
   * @returns the outputs in their order; they are the caller's. One that is asked for twice is there as two tensors of one memory.
   */
  run(feeds: readonly tf.Tensor[]): tf.Tensor[] {
    const backend = native();
    const values = backend.binding.runSavedModel(this.id, backend.getInputTensorIds(feeds), this.inputNames, this.outputNames);
    const tensors = values.map((value) => backend.createOutputTensor(value));
    const taken = new Set<number>();
    return this.fetched.map((k) => {
      const tensor = tensors[k] as tf.Tensor;
      if (taken.has(k)) return tensor.clone();
      taken.add(k);
      return tensor;
    });
  }

  dispose(): void {
    native().binding.deleteSavedModel(this.id);
  }
}

interface Fetches {
  readonly names: readonly string[];
  readonly fetched: readonly number[];
}

function native(): GraphBackend {
  return tf.backend() as unknown as GraphBackend;
}

function feedName(i: number): string {
  return `feed${i}`;
}

function keyOf({ node, output }: TracedEdge, numbers: Map<TracedNode, number>): string {
  const number = numbers.get(node) ?? numbers.size;
  numbers.set(node, number);
  return `${number}:${output}`;
}

/** The operations that the outputs need where the feeds are given. */
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

/** Turns recorded operations into nodes of a GraphDef. */
class NodeWriter {
  readonly nodes: GraphNode[] = [];
  private readonly numbers = new Map<TracedNode, number>();
  private readonly fed = new Map<string, string>();
  private readonly names = new Map<TracedNode, string>();

  constructor(feeds: readonly TracedEdge[]) {
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
    this.nodes.push({ name, op: operation.op, inputs, attributes: completeAttributes(operation) });
    this.names.set(operation, name);
  }

  /** TensorFlow fetches each edge once, and none that it is fed: those pass through a node of their own. */
  fetch(outputs: readonly TracedEdge[]): Fetches {
    const names: string[] = [];
    const places = new Map<string, number>();
    const fetched = outputs.map((edge) => {
      const key = keyOf(edge, this.numbers);
      const known = places.get(key);
      if (known !== undefined) return known;
      const source = this.source(edge);
      names.push(this.fed.has(key) || edge.node.kind !== 'operation' ? `${this.identity(source, edge)}:0` : output(source));
      places.set(key, names.length - 1);
      return names.length - 1;
    });
    return { names, fetched };
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

function output(source: string): string {
  return source.includes(':') ? source : `${source}:0`;
}
