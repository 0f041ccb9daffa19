import {
  type Trace,
  type TracedAttribute,
  type TracedConstant,
  type TracedEdge,
  type TracedInput,
  type TracedNode,
  type TracedOperation,
  tensorflowTypes,
} from '../backend/index.js';
import { sizeOf } from '../util/index.js';
import type { ConstantValues, Graph, GraphNode, GraphPort, Signature } from './graph.js';

/** Numbers up to which equal constants are found by their values. */
const COMPARED = 256;

/** Turns traces into one graph: what no output needs is left out, and equal constants, weights above all, are there once. */
export class GraphBuilder {
  private readonly nodes: GraphNode[] = [];
  private readonly taken = new Set<string>();
  private readonly signatures: Record<string, Signature> = {};
  private readonly weights = new Map<object, string>();
  private readonly small = new Map<string, string>();
  private readonly namesOfWeights: ReadonlyMap<object, string>;

  /** @param namesOfWeights - what to call constants, by {@link TracedConstant.identity}. */
  constructor(namesOfWeights: ReadonlyMap<object, string> = new Map()) {
    this.namesOfWeights = namesOfWeights;
  }

  get graph(): Graph {
    return { nodes: this.nodes, signatures: this.signatures };
  }

  /** Adds what was recorded as a signature. */
  async add(signature: string, recorded: Trace): Promise<void> {
    const names = new Map<TracedNode, string>();
    const inputs: Record<string, GraphPort> = {};
    for (const input of recorded.inputs) {
      const node = this.placeholder(signature, input, input.shape);
      names.set(input, node);
      inputs[input.name] = { node, dtype: input.dtype, shape: input.shape };
    }
    for (const operation of needed(recorded)) {
      const sources: string[] = [];
      for (const edge of operation.inputs) sources.push(await this.source(edge, names));
      names.set(operation, this.push({ name: `${signature}/${operation.op}`, op: operation.op, inputs: sources, attributes: complete(operation) }));
    }
    const outputs: Record<string, GraphPort> = {};
    for (const [name, edge] of recorded.outputs) {
      const { dtype, shape } = portOf(edge);
      const node = this.push({
        name: `${signature}/${name}`,
        op: 'Identity',
        inputs: [await this.source(edge, names)],
        attributes: [typeAttribute('T', dtype)],
      });
      outputs[name] = { node, dtype, shape };
    }
    this.signatures[signature] = { inputs, outputs };
  }

  private placeholder(signature: string, { name, dtype }: TracedInput, shape: readonly number[]): string {
    return this.push({
      name: `${signature}/${name}`,
      op: 'Placeholder',
      inputs: [],
      attributes: [typeAttribute('dtype', dtype), { name: 'shape', kind: 'shape', value: shape }],
    });
  }

  private async source({ node, output }: TracedEdge, names: ReadonlyMap<TracedNode, string>): Promise<string> {
    const name = node.kind === 'constant' ? await this.constant(node) : (names.get(node) as string);
    return output === 0 ? name : `${name}:${output}`;
  }

  private async constant(node: TracedConstant): Promise<string> {
    const known = this.weights.get(node.identity);
    if (known !== undefined) return known;
    const name = sizeOf(node.shape) <= COMPARED ? await this.smallConstant(node) : this.pushConstant(node, this.namesOfWeights.get(node.identity));
    this.weights.set(node.identity, name);
    return name;
  }

  private async smallConstant(node: TracedConstant): Promise<string> {
    const values = await node.read();
    const key = `${node.dtype} ${node.shape.join()} ${Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64')}`;
    const name = this.small.get(key) ?? this.pushConstant(node, this.namesOfWeights.get(node.identity));
    this.small.set(key, name);
    return name;
  }

  private pushConstant(constant: ConstantValues, name = 'constant'): string {
    const { dtype, shape, read } = constant;
    return this.push({ name, op: 'Const', inputs: [], attributes: [typeAttribute('dtype', dtype)], constant: { dtype, shape, read } });
  }

  /** Adds a node under a name that is not taken yet. */
  private push(node: GraphNode): string {
    let name = node.name;
    for (let k = 1; this.taken.has(name); k++) name = `${node.name}_${k}`;
    this.taken.add(name);
    this.nodes.push({ ...node, name });
    return name;
  }
}

export function typeAttribute(name: string, dtype: keyof typeof tensorflowTypes): TracedAttribute {
  return { name, kind: 'type', value: tensorflowTypes[dtype] };
}

/** What an edge carries. */
export function portOf({ node, output }: TracedEdge): Pick<GraphPort, 'dtype' | 'shape'> {
  if (node.kind !== 'operation') return node;
  return { dtype: node.dtypes[output] as GraphPort['dtype'], shape: node.shapes[output] as readonly number[] };
}

/** The operations that outputs depend on, in their order. */
export function needed({ operations, outputs }: Trace): TracedOperation[] {
  const wanted = new Set<TracedNode>([...outputs.values()].map(({ node }) => node));
  for (const operation of [...operations].reverse()) {
    if (wanted.has(operation)) for (const { node } of operation.inputs) wanted.add(node);
  }
  return operations.filter((operation) => wanted.has(operation));
}

/** Types that the eager interface finds out by itself, and a graph must name, by operation: attribute and input. */
const INFERRED: Readonly<Record<string, readonly (readonly [attribute: string, input: number])[]>> = {
  ExpandDims: [
    ['T', 0],
    ['Tdim', 1],
  ],
};

function complete({ op, attributes, inputs }: TracedOperation): readonly TracedAttribute[] {
  const given = new Set(attributes.map(({ name }) => name));
  const inferred = (INFERRED[op] ?? []).filter(([name]) => !given.has(name));
  return [...attributes, ...inferred.map(([name, input]) => typeAttribute(name, portOf(inputs[input] as TracedEdge).dtype))];
}
