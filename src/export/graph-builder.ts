import {
  type ConstantValues,
  completeAttributes,
  type Graph,
  type GraphNode,
  type GraphPort,
  needed,
  portOf,
  type Signature,
  type Trace,
  type TracedConstant,
  type TracedDtype,
  type TracedEdge,
  type TracedInput,
  type TracedNode,
  typeAttribute,
} from '../backend/index.js';
import { sizeOf } from '../util/index.js';
import { type SizeRule, Twin, type Varying } from './dynamic.js';

/** Maximum size of constants that are compared by value. */
const COMPARED = 256;

/** Combines traces into one graph: unneeded nodes are dropped, and equal constants, above all weights, are stored once. */
export class GraphBuilder {
  private readonly nodes: GraphNode[] = [];
  private readonly taken = new Set<string>();
  private readonly signatures: Record<string, Signature> = {};
  private readonly weights = new Map<object, string>();
  private readonly small = new Map<string, string>();
  private readonly namesOfWeights: ReadonlyMap<object, string>;

  /** @param namesOfWeights - names of constants, by {@link TracedConstant.identity}. */
  constructor(namesOfWeights: ReadonlyMap<object, string> = new Map()) {
    this.namesOfWeights = namesOfWeights;
  }

  get graph(): Graph {
    return { nodes: this.nodes, signatures: this.signatures };
  }

  /**
   * Adds a trace as a signature.
   *
   * @param recorded - one trace, or two of the same function at two sizes of its dynamic axes.
   * @throws DynamicError when the two differ in more than sizes.
   */
  async add(signature: string, recorded: Trace, varying?: Varying): Promise<void> {
    const twin = varying && (await Twin.of(recorded, varying));
    const names = new Map<TracedNode, string>();
    const inputs: Record<string, GraphPort> = {};
    for (const input of recorded.inputs) {
      const shape = input.shape.map((size, axis) => (varying?.inputs[input.name] === axis ? -1 : size));
      const node = this.placeholder(signature, input, shape);
      names.set(input, node);
      inputs[input.name] = { node, dtype: input.dtype, shape };
    }
    const size = twin && varying && this.sizeNode(signature, names, recorded, varying);
    const source = async ({ node, output }: TracedEdge) => {
      const name =
        node.kind === 'constant' ? await this.constant(node, twin?.rules.get(node), size) : (names.get(node) as string);
      return output === 0 ? name : `${name}:${output}`;
    };
    for (const operation of needed(recorded)) {
      const sources: string[] = [];
      for (const edge of operation.inputs) sources.push(await source(edge));
      const name = `${signature}/${operation.op}`;
      names.set(operation, this.push({ name, op: operation.op, inputs: sources, attributes: completeAttributes(operation) }));
    }
    const outputs: Record<string, GraphPort> = {};
    for (const [name, edge] of recorded.outputs) {
      const { dtype, shape } = portOf(edge);
      const node = this.push({
        name: `${signature}/${name}`,
        op: 'Identity',
        inputs: [await source(edge)],
        attributes: [typeAttribute('T', dtype)],
      });
      outputs[name] = { node, dtype, shape: shape.map((n, axis) => (varying?.outputs[name] === axis ? -1 : n)) };
    }
    this.signatures[signature] = { inputs, outputs };
  }

  /** A scalar i32: the size of the dynamic axes. */
  private sizeNode(signature: string, names: ReadonlyMap<TracedNode, string>, { inputs }: Trace, varying: Varying): string {
    const input = inputs.find(({ name }) => name in varying.inputs) as TracedInput;
    const axis = varying.inputs[input.name] as number;
    const shape = this.push({
      name: `${signature}/Shape`,
      op: 'Shape',
      inputs: [names.get(input) as string],
      attributes: [typeAttribute('T', input.dtype), typeAttribute('out_type', 'int32')],
    });
    return this.push({
      name: `${signature}/size`,
      op: 'StridedSlice',
      inputs: [shape, this.ints([axis]), this.ints([axis + 1]), this.ints([1])],
      attributes: [
        typeAttribute('T', 'int32'),
        typeAttribute('Index', 'int32'),
        ...['begin_mask', 'end_mask', 'ellipsis_mask', 'new_axis_mask'].map((name) => ({ name, kind: 'int' as const, value: 0 })),
        { name: 'shrink_axis_mask', kind: 'int', value: 1 },
      ],
    });
  }

  /** A new constant: a list of integers, or a scalar. */
  private ints(values: readonly number[] | number): string {
    const list = typeof values === 'number' ? [values] : values;
    const shape = typeof values === 'number' ? [] : [list.length];
    const read = async () => Int32Array.from(list);
    return this.pushSmall(
      { dtype: 'int32', shape, weight: false, read },
      `int32 ${shape.join()} ${Buffer.from(Int32Array.from(list).buffer).toString('base64')}`,
    );
  }

  private placeholder(signature: string, { name, dtype }: TracedInput, shape: readonly number[]): string {
    return this.push({
      name: `${signature}/${name}`,
      op: 'Placeholder',
      inputs: [],
      attributes: [typeAttribute('dtype', dtype), { name: 'shape', kind: 'shape', value: shape }],
    });
  }

  private async constant(node: TracedConstant, rule: SizeRule | undefined, size: string | undefined): Promise<string> {
    if (rule !== undefined && size !== undefined) return this.computed(rule, size);
    const known = this.weights.get(node.identity);
    if (known !== undefined) return known;
    const name = this.namesOfWeights.get(node.identity);
    const values: ConstantValues = { dtype: node.dtype, shape: node.shape, weight: name !== undefined, read: node.read };
    const pushed =
      name !== undefined || sizeOf(node.shape) > COMPARED
        ? this.pushConstant(values, name)
        : this.pushSmall(values, await keyOf(node));
    this.weights.set(node.identity, pushed);
    return pushed;
  }

  /** A constant as a function of the dynamic size. */
  private computed(rule: SizeRule, size: string): string {
    const arithmetic = (op: string, dtype: TracedDtype, inputs: readonly string[]) =>
      this.push({ name: op, op, inputs, attributes: [typeAttribute('T', dtype)] });
    if (rule.kind === 'list') {
      const grown = arithmetic('Mul', 'int32', [size, this.ints(rule.scalar ? (rule.slope[0] as number) : rule.slope)]);
      return arithmetic('AddV2', 'int32', [grown, this.ints(rule.scalar ? (rule.offset[0] as number) : rule.offset)]);
    }
    const { dtype, base, step, shape } = rule;
    const block = (values: Float32Array | Int32Array | Uint8Array) =>
      this.pushConstant({ dtype, shape: [1, values.length], weight: false, read: async () => values });
    const reshape = (x: string, type: TracedDtype, to: readonly number[]) =>
      this.push({
        name: 'Reshape',
        op: 'Reshape',
        inputs: [x, this.ints(to)],
        attributes: [typeAttribute('T', type), typeAttribute('Tshape', 'int32')],
      });
    if (step === undefined) {
      const multiples = this.push({
        name: 'Pack',
        op: 'Pack',
        inputs: [size, this.ints(1)],
        attributes: [{ name: 'N', kind: 'int', value: 2 }, typeAttribute('T', 'int32'), { name: 'axis', kind: 'int', value: 0 }],
      });
      const tiled = this.push({
        name: 'Tile',
        op: 'Tile',
        inputs: [block(base), multiples],
        attributes: [typeAttribute('T', dtype), typeAttribute('Tmultiples', 'int32')],
      });
      return reshape(tiled, dtype, shape);
    }
    const range = this.push({
      name: 'Range',
      op: 'Range',
      inputs: [this.ints(0), size, this.ints(1)],
      attributes: [typeAttribute('Tidx', 'int32')],
    });
    const numbers =
      dtype === 'int32'
        ? range
        : this.push({
            name: 'Cast',
            op: 'Cast',
            inputs: [range],
            attributes: [
              typeAttribute('SrcT', 'int32'),
              typeAttribute('DstT', dtype),
              { name: 'Truncate', kind: 'bool', value: false },
            ],
          });
    const moved = arithmetic('Mul', dtype, [reshape(numbers, dtype, [-1, 1]), block(step)]);
    return reshape(arithmetic('AddV2', dtype, [moved, block(base)]), dtype, shape);
  }

  private pushSmall(constant: ConstantValues, key: string): string {
    const name = this.small.get(key) ?? this.pushConstant(constant);
    this.small.set(key, name);
    return name;
  }

  private pushConstant(constant: ConstantValues, name = 'constant'): string {
    return this.push({ name, op: 'Const', inputs: [], attributes: [typeAttribute('dtype', constant.dtype)], constant });
  }

  /** Adds a node under a unique name. */
  private push(node: GraphNode): string {
    let name = node.name;
    for (let k = 1; this.taken.has(name); k++) name = `${node.name}_${k}`;
    this.taken.add(name);
    this.nodes.push({ ...node, name });
    return name;
  }
}

async function keyOf({ dtype, shape, read }: TracedConstant): Promise<string> {
  const { buffer, byteOffset, byteLength } = await read();
  return `${dtype} ${shape.join()} ${Buffer.from(buffer, byteOffset, byteLength).toString('base64')}`;
}
