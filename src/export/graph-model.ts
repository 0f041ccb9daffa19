import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ConstantValues,
  type Graph,
  type GraphNode,
  type GraphPort,
  type TracedAttribute,
  type TracedDtype,
  tensorflowTypes,
} from '../backend/index.js';
import { CheckpointError, sizeOf, writeFileAtomic } from '../util/index.js';
import { halfBytes, type Quantised, uint8Bytes } from './quantise.js';

export const weightTypes = ['float32', 'float16', 'uint8'] as const;

/** Storage type of weights; computation always uses float32. */
export type WeightType = (typeof weightTypes)[number];

/** Size in bytes of a weight shard, as in TensorFlow.js's own converter: browsers cache files of this size. */
const SHARD = 4 * 2 ** 20;

/** TensorFlow.js's names of node types. */
const TYPE_NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  (Object.entries({ float32: 'DT_FLOAT', int32: 'DT_INT32', bool: 'DT_BOOL' }) as [TracedDtype, string][]).map(
    ([dtype, name]) => [tensorflowTypes[dtype], name],
  ),
);

/**
 * Writes one signature of a graph as a TensorFlow.js graph model: `model.json` with weight shards beside it.
 *
 * @throws CheckpointError when a weight is too large for half precision.
 */
export async function writeGraphModel(graph: Graph, signature: string, dir: string, weightType: WeightType): Promise<void> {
  await mkdir(dir, { recursive: true });
  const nodes = partOf(graph, signature);
  const constants = nodes.filter((node): node is GraphNode & { constant: ConstantValues } => node.constant !== undefined);
  const total = constants.reduce((sum, { constant }) => sum + sizeOf(constant.shape) * bytesPerNumber(constant, weightType), 0);
  const shards = new ShardWriter(dir, Math.max(1, Math.ceil(total / SHARD)));
  const weights: object[] = [];
  for (const { name, constant } of constants) {
    const { bytes, quantization } = await stored(constant, weightType, name);
    await shards.write(bytes);
    weights.push({ name, shape: constant.shape, dtype: constant.dtype, ...(quantization && { quantization }) });
  }
  const paths = await shards.end();
  const { inputs, outputs } = graph.signatures[signature] as Graph['signatures'][string];
  const model = {
    format: 'graph-model',
    generatedBy: 'sonoground',
    convertedBy: 'sonoground',
    signature: { inputs: infos(inputs), outputs: infos(outputs) },
    modelTopology: { node: nodes.map(nodeJson), versions: { producer: 1645 }, library: {} },
    weightsManifest: [{ paths, weights }],
  };
  await writeFileAtomic(join(dir, 'model.json'), JSON.stringify(model));
}

/** The nodes that a signature needs. */
function partOf({ nodes, signatures }: Graph, signature: string): GraphNode[] {
  const ports = signatures[signature];
  const wanted = new Set([...Object.values(ports?.inputs ?? {}), ...Object.values(ports?.outputs ?? {})].map(({ node }) => node));
  for (const { name, inputs } of [...nodes].reverse())
    if (wanted.has(name)) for (const input of inputs) wanted.add(input.replace(/:\d+$/, ''));
  return nodes.filter(({ name }) => wanted.has(name));
}

function infos(ports: Readonly<Record<string, GraphPort>>) {
  const entries = Object.entries(ports).map(([key, { node, dtype, shape }]) => {
    return [key, { name: `${node}:0`, dtype: TYPE_NAMES[tensorflowTypes[dtype]], tensorShape: shapeJson(shape) }] as const;
  });
  return Object.fromEntries(entries);
}

function nodeJson({ name, op, inputs, attributes, constant }: GraphNode): object {
  const attr = Object.fromEntries(attributes.map((attribute) => [attribute.name, attributeJson(attribute)]));
  const shape = constant && { shape: { shape: shapeJson(constant.shape) } };
  return { name, op, ...(inputs.length > 0 && { input: inputs }), attr: { ...attr, ...shape } };
}

function attributeJson({ kind, value }: TracedAttribute): object {
  if (kind === 'shape') return { shape: shapeJson(value as readonly number[]) };
  const one = (item: unknown): [string, unknown] => {
    if (kind === 'string') return ['s', Buffer.from(String(item)).toString('base64')];
    if (kind === 'int') return ['i', String(item)];
    if (kind === 'float') return ['f', item];
    return kind === 'bool' ? ['b', item] : ['type', TYPE_NAMES[Number(item)]];
  };
  if (!Array.isArray(value)) return Object.fromEntries([one(value)]);
  return { list: { [one(value[0])[0]]: value.map((item) => one(item)[1]) } };
}

function shapeJson(shape: readonly number[]): object {
  return { dim: shape.map((size) => ({ size: String(size) })) };
}

/** Tables and short vectors keep their precision: they are small, and sums are sensitive to them. */
function typeOf({ weight, shape, dtype }: ConstantValues, weightType: WeightType): WeightType {
  return weight && dtype === 'float32' && shape.length >= 2 ? weightType : 'float32';
}

function bytesPerNumber(constant: ConstantValues, weightType: WeightType): number {
  if (constant.dtype === 'bool') return 1;
  return { float32: 4, float16: 2, uint8: 1 }[typeOf(constant, weightType)];
}

async function stored(constant: ConstantValues, weightType: WeightType, name: string): Promise<Quantised> {
  const values = await constant.read();
  const type = typeOf(constant, weightType);
  if (type === 'float32') return { bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
  const floats = values as Float32Array;
  const quantised = type === 'float16' ? halfBytes(floats) : uint8Bytes(floats);
  if (quantised !== undefined) return quantised;
  throw new CheckpointError({
    code: 'E_NUMBER_RANGE',
    where: name,
    what: `its values cannot be stored as ${type}`,
    fix: 'Export with --dtype float32',
  });
}

/** Splits a stream of bytes into files of equal size. */
class ShardWriter {
  private readonly dir: string;
  private readonly count: number;
  private readonly paths: string[] = [];
  private pending: Uint8Array[] = [];
  private size = 0;

  constructor(dir: string, count: number) {
    this.dir = dir;
    this.count = count;
  }

  async write(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (this.size + rest.length >= SHARD) {
      const part = rest.subarray(0, SHARD - this.size);
      this.pending.push(part);
      await this.flush();
      rest = rest.subarray(part.length);
    }
    // A copy, since the backend may own the bytes.
    this.pending.push(rest.slice());
    this.size += rest.length;
  }

  async end(): Promise<string[]> {
    if (this.size > 0 || this.paths.length === 0) await this.flush();
    return this.paths;
  }

  private async flush(): Promise<void> {
    const name = `group1-shard${this.paths.length + 1}of${this.count}.bin`;
    await writeFileAtomic(join(this.dir, name), Buffer.concat(this.pending));
    this.paths.push(name);
    this.pending = [];
    this.size = 0;
  }
}
