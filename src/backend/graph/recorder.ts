import { RuntimeError } from '../../util/index.js';
import { tf } from '../tf.js';
import {
  type TracedAttribute,
  type TracedConstant,
  type TracedDtype,
  type TracedEdge,
  type TracedInput,
  type TracedNode,
  type TracedOperation,
  tensorflowTypes,
} from './traced.js';

/** Output of an operation, as reported by the binding. */
export interface Metadata {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: number;
}

type Values = Float32Array | Int32Array | Uint8Array;

/** The two functions of the native binding that every operation calls. */
interface Binding {
  createTensor(shape: readonly number[], dtype: number, values: Values): number;
  executeOp(op: string, attributes: readonly RawAttribute[], inputs: readonly number[], outputs: number): Metadata[];
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
}

interface RawAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

interface RecordedBackend {
  binding: Binding;
  getInputTensorIds(tensors: readonly tf.TensorInfo[]): number[];
  write(values: unknown, shape: number[], dtype: string): tf.DataId;
  readonly tensorMap: { get(dataId: tf.DataId): { readonly shape: readonly number[]; readonly dtype: number } };
  read(dataId: tf.DataId): Promise<Values>;
}

export interface RecorderOptions {
  /**
   * How to treat a tensor that existed before and is not a declared input.
   * - `constant`: as a constant, that is, a weight.
   * - `refuse`: recording fails with a {@link NotRecordable}.
   */
  readonly existing: 'constant' | 'refuse';
  /** Merge equal operations on equal inputs, and small constants with equal values. Default: false. */
  readonly merge?: boolean;
}

/** A function that reads undeclared tensors, or values on the host, cannot be compiled to a graph of its inputs. */
export class NotRecordable extends RuntimeError {}

let recording = false;

/** Whether a graph is being recorded: operations that split their work then use the same number of pieces for any batch size. */
export function isRecording(): boolean {
  return recording;
}

/** Size from which values are not copied: arrays this large are created once and not modified. */
const KEPT = 2 ** 16;

/** Maximum size of constants that are compared by value. */
const COMPARED = 2 ** 12;

/** Records the operations that run on the native backend as nodes of a graph. */
export class Recorder {
  readonly operations: TracedOperation[] = [];
  private readonly options: RecorderOptions;
  private readonly backend: RecordedBackend;
  private readonly original: Binding;
  private readonly edges = new Map<number, TracedEdge>();
  private readonly numbers = new Map<TracedNode, number>();
  private readonly merged = new Map<string, TracedOperation>();
  private readonly constants = new Map<string, TracedConstant>();
  /** The data being uploaded to the native side, which happens on first use. */
  private uploading: tf.DataId | undefined;
  /** Data created from JavaScript values while recording. */
  private readonly fresh = new Set<tf.DataId>();

  /** @throws RuntimeError when the current backend is not the native one. */
  constructor(options: RecorderOptions) {
    if (tf.getBackend() !== 'tensorflow')
      throw new RuntimeError({
        code: 'E_BACKEND_NEEDED',
        where: 'trace',
        what: `a graph is recorded on the native TensorFlow backend, this is ${tf.getBackend()}`,
        fix: 'Install native TensorFlow, and choose the backend tensorflow',
      });
    this.options = options;
    this.backend = tf.backend() as unknown as RecordedBackend;
    this.original = this.backend.binding;
  }

  /** Declares a tensor as an input of the graph. */
  input(name: string, tensor: tf.TensorInfo): TracedInput {
    const node: TracedInput = { kind: 'input', name, dtype: tensor.dtype as TracedDtype, shape: tensor.shape };
    this.edges.set(this.backend.getInputTensorIds([tensor])[0] as number, { node, output: 0 });
    return node;
  }

  /** Does not merge what follows with what came before. */
  separate(): void {
    this.merged.clear();
  }

  /** The edge that produced a tensor. */
  edge(tensor: tf.TensorInfo): TracedEdge {
    return this.edges.get(this.backend.getInputTensorIds([tensor])[0] as number) as TracedEdge;
  }

  /** Records the operations of a synchronous function. */
  during<T>(body: () => T): T {
    const { backend, original } = this;
    // The binding's own properties are read-only, so it is replaced by an object that inherits from it.
    backend.binding = Object.create(original, {
      createTensor: { value: this.createTensor.bind(this) },
      executeOp: { value: this.executeOp.bind(this) },
    }) as Binding;
    const { write, getInputTensorIds: lookUp } = backend;
    backend.write = (...values) => {
      const dataId = write.apply(backend, values);
      this.fresh.add(dataId);
      return dataId;
    };
    backend.getInputTensorIds = (tensors) =>
      tensors.map((tensor) => {
        this.uploading = tensor.dataId;
        const [id] = lookUp.call(backend, [tensor]) as [number];
        this.uploading = undefined;
        this.existing(id, tensor.dataId);
        return id;
      });
    // Functions read values through the engine. Kernels, which do so to check indices, use the backend.
    const engine = tf.engine() as unknown as Record<'read' | 'readSync', () => never>;
    engine.read = engine.readSync = () => {
      throw unrecordable('values of a tensor are read on the host: what follows may depend on them');
    };
    recording = true;
    try {
      return body();
    } finally {
      recording = false;
      backend.binding = original;
      // Restores the prototype's methods.
      for (const name of ['getInputTensorIds', 'write']) Reflect.deleteProperty(backend, name);
      for (const name of ['read', 'readSync']) Reflect.deleteProperty(engine, name);
    }
  }

  private existing(id: number, dataId: tf.DataId): void {
    if (this.edges.has(id)) return;
    const { shape, dtype } = this.backend.tensorMap.get(dataId);
    if (this.options.existing === 'refuse') throw madeOutside(shape);
    const { backend } = this;
    this.constant(id, { shape, dtype: dtypeOf(dtype), identity: dataId, read: () => backend.read(dataId) });
  }

  private createTensor(shape: readonly number[], dtype: number, values: Values): number {
    // Created before recording and first used now.
    if (this.options.existing === 'refuse' && this.uploading !== undefined && !this.fresh.has(this.uploading))
      throw madeOutside(shape);
    const id = this.original.createTensor(shape, dtype, values);
    const copy = shape.length === 0 || values.length < KEPT ? values.slice() : values;
    const parts = { shape: [...shape], dtype: dtypeOf(dtype), identity: this.uploading ?? {}, read: async () => copy };
    const key = this.options.merge === true && copy.length <= COMPARED ? valueKey(parts, copy) : undefined;
    const known = key === undefined ? undefined : this.constants.get(key);
    if (known !== undefined) this.edges.set(id, { node: known, output: 0 });
    else {
      const node = this.constant(id, parts);
      if (key !== undefined) this.constants.set(key, node);
    }
    return id;
  }

  private constant(id: number, parts: Omit<TracedConstant, 'kind'>): TracedConstant {
    const node: TracedConstant = { kind: 'constant', ...parts };
    this.edges.set(id, { node, output: 0 });
    return node;
  }

  private executeOp(op: string, attributes: readonly RawAttribute[], inputs: readonly number[], outputs: number): Metadata[] {
    const results = this.original.executeOp(op, attributes, inputs, outputs);
    const sources = inputs.map((id) => this.edges.get(id) as TracedEdge);
    const key = this.options.merge === true ? this.operationKey(op, attributes, sources) : undefined;
    const node = (key === undefined ? undefined : this.merged.get(key)) ?? this.operation(op, attributes, sources, results);
    if (key !== undefined) this.merged.set(key, node);
    for (const [output, { id }] of results.entries()) this.edges.set(id, { node, output });
    return results;
  }

  private operation(
    op: string,
    attributes: readonly RawAttribute[],
    inputs: readonly TracedEdge[],
    results: readonly Metadata[],
  ): TracedOperation {
    const node: TracedOperation = {
      kind: 'operation',
      op,
      attributes: attributes.map(({ name, type, value }) => ({ name, kind: this.kindOf(type), value })),
      inputs,
      shapes: results.map(({ shape }) => [...shape]),
      dtypes: results.map(({ dtype }) => dtypeOf(dtype)),
    };
    this.operations.push(node);
    return node;
  }

  private operationKey(op: string, attributes: readonly RawAttribute[], inputs: readonly TracedEdge[]): string {
    const from = inputs.map(({ node, output }) => `${this.numberOf(node)}:${output}`);
    return `${op} ${JSON.stringify(attributes.map(({ name, value }) => [name, value]))} ${from.join()}`;
  }

  private numberOf(node: TracedNode): number {
    const number = this.numbers.get(node) ?? this.numbers.size;
    this.numbers.set(node, number);
    return number;
  }

  private kindOf(type: number): TracedAttribute['kind'] {
    const b = this.original;
    const kinds: readonly (readonly [number, TracedAttribute['kind']])[] = [
      [b.TF_ATTR_STRING, 'string'],
      [b.TF_ATTR_INT, 'int'],
      [b.TF_ATTR_FLOAT, 'float'],
      [b.TF_ATTR_BOOL, 'bool'],
      [b.TF_ATTR_TYPE, 'type'],
      [b.TF_ATTR_SHAPE, 'shape'],
    ];
    const kind = kinds.find(([number]) => number === type)?.[1];
    if (kind === undefined)
      throw new RuntimeError({
        code: 'E_GRAPH_UNRECORDABLE',
        where: 'trace',
        what: `attributes of type ${type} are not understood`,
      });
    return kind;
  }
}

function madeOutside(shape: readonly number[]): NotRecordable {
  return unrecordable(`a tensor of shape [${shape.join(', ')}] that was made outside of the function is read`);
}

function unrecordable(what: string): NotRecordable {
  return new NotRecordable({ code: 'E_GRAPH_UNRECORDABLE', where: 'trace', what });
}

function valueKey({ shape, dtype }: Pick<TracedConstant, 'shape' | 'dtype'>, values: Values): string {
  return `${dtype} ${shape.join()} ${Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64')}`;
}

function dtypeOf(number: number): TracedDtype {
  const found = Object.entries(tensorflowTypes).find(([, value]) => value === number)?.[0];
  if (found === undefined)
    throw new NotRecordable({
      code: 'E_GRAPH_UNRECORDABLE',
      where: 'trace',
      what: `tensors of type ${number} cannot be recorded`,
    });
  return found as TracedDtype;
}
