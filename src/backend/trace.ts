import { RuntimeError } from '../util/index.js';
import { withPortableKernels } from './kernels/index.js';
import { tf } from './tf.js';

/** Element types by their number in TensorFlow's `DataType`. */
export const tensorflowTypes = { float32: 1, int32: 3, bool: 10 } as const;

export type TracedDtype = keyof typeof tensorflowTypes;

/** An attribute of an operation, as TensorFlow's eager interface takes it. */
export interface TracedAttribute {
  readonly name: string;
  readonly kind: 'string' | 'int' | 'float' | 'bool' | 'type' | 'shape';
  readonly value: unknown;
}

/** Which output of which node. */
export interface TracedEdge {
  readonly node: TracedNode;
  readonly output: number;
}

export interface TracedInput {
  readonly kind: 'input';
  readonly name: string;
  readonly dtype: TracedDtype;
  readonly shape: readonly number[];
}

export interface TracedConstant {
  readonly kind: 'constant';
  readonly dtype: TracedDtype;
  readonly shape: readonly number[];
  /** What it is the same array as in other traces: weights keep theirs. */
  readonly identity: object;
  /** The values; of a weight as long as the model lives. */
  read(): Promise<Float32Array | Int32Array | Uint8Array>;
}

export interface TracedOperation {
  readonly kind: 'operation';
  /** TensorFlow's name for it. */
  readonly op: string;
  readonly attributes: readonly TracedAttribute[];
  readonly inputs: readonly TracedEdge[];
  /** Of each output. */
  readonly shapes: readonly (readonly number[])[];
  /** Of each output. */
  readonly dtypes: readonly TracedDtype[];
}

export type TracedNode = TracedInput | TracedConstant | TracedOperation;

/** What a function did to its inputs, as a graph of TensorFlow operations. */
export interface Trace {
  /** In the order in which they ran: each after those that it reads. */
  readonly operations: readonly TracedOperation[];
  readonly inputs: readonly TracedInput[];
  readonly outputs: ReadonlyMap<string, TracedEdge>;
}

interface Metadata {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: number;
}

type Values = Float32Array | Int32Array | Uint8Array;

/** The two functions of the native binding that every operation passes through. */
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

interface TracedBackend {
  binding: Binding;
  getInputTensorIds(tensors: readonly tf.TensorInfo[]): number[];
  readonly tensorMap: { get(dataId: tf.DataId): { readonly shape: readonly number[]; readonly dtype: number } };
  read(dataId: tf.DataId): Promise<Values>;
}

/**
 * Runs a function once on the native backend and records the TensorFlow operations that it consists of. Whatever existed
 * before or is made from values of JavaScript becomes a constant. The portable kernels run, not the project's own.
 *
 * @param inputs - sample values; they stay the caller's.
 * @param fn - runs synchronously, in a `tf.tidy`; it may not look at the values of tensors.
 * @throws RuntimeError when the current backend is not the native one.
 */
export function trace<I extends Readonly<Record<string, tf.Tensor>>>(
  inputs: I,
  fn: (inputs: I) => Readonly<Record<string, tf.Tensor>>,
): Trace {
  if (tf.getBackend() !== 'tensorflow')
    throw new RuntimeError({
      where: 'trace',
      what: `a graph is recorded on the native TensorFlow backend, this is ${tf.getBackend()}`,
      fix: 'Run `npm run setup`, then try again with --backend tensorflow',
    });
  const backend = tf.backend() as unknown as TracedBackend;
  const recorder = new Recorder(backend);
  const traced = Object.entries(inputs).map(([name, tensor]) => recorder.input(name, tensor));
  const outputs = new Map<string, TracedEdge>();
  tf.tidy(() =>
    recorder.during(() => {
      const results = withPortableKernels(() => fn(inputs));
      for (const [name, tensor] of Object.entries(results)) outputs.set(name, recorder.edge(tensor));
    }),
  );
  return { operations: recorder.operations, inputs: traced, outputs };
}

let recording = false;

/** Whether a graph is being recorded: what is cut into pieces is then cut in as many for any batch. */
export function isRecording(): boolean {
  return recording;
}

class Recorder {
  readonly operations: TracedOperation[] = [];
  private readonly backend: TracedBackend;
  private readonly original: Binding;
  private readonly edges = new Map<number, TracedEdge>();
  /** What is being brought to the native side, which happens when it is first used. */
  private uploading: tf.DataId | undefined;

  constructor(backend: TracedBackend) {
    this.backend = backend;
    this.original = backend.binding;
  }

  input(name: string, tensor: tf.Tensor): TracedInput {
    const node: TracedInput = { kind: 'input', name, dtype: tensor.dtype as TracedDtype, shape: tensor.shape };
    this.edges.set(this.backend.getInputTensorIds([tensor])[0] as number, { node, output: 0 });
    return node;
  }

  /** Where a tensor comes from. */
  edge(tensor: tf.TensorInfo): TracedEdge {
    return this.edges.get(this.backend.getInputTensorIds([tensor])[0] as number) as TracedEdge;
  }

  during<T>(body: () => T): T {
    const { backend, original } = this;
    // The binding's own properties are read-only: an object that inherits from it takes its place.
    backend.binding = Object.create(original, {
      createTensor: { value: this.createTensor.bind(this) },
      executeOp: { value: this.executeOp.bind(this) },
    }) as Binding;
    const lookUp = backend.getInputTensorIds;
    backend.getInputTensorIds = (tensors) =>
      tensors.map((tensor) => {
        this.uploading = tensor.dataId;
        const [id] = lookUp.call(backend, [tensor]) as [number];
        this.uploading = undefined;
        this.existing(id, tensor.dataId);
        return id;
      });
    recording = true;
    try {
      return body();
    } finally {
      recording = false;
      backend.binding = original;
      // The method is the prototype's again.
      Reflect.deleteProperty(backend, 'getInputTensorIds');
    }
  }

  /** Something that was there before: a weight. */
  private existing(id: number, dataId: tf.DataId): void {
    if (this.edges.has(id)) return;
    const { shape, dtype } = this.backend.tensorMap.get(dataId);
    const { backend } = this;
    this.constant(id, { shape, dtype: dtypeOf(dtype), identity: dataId, read: () => backend.read(dataId) });
  }

  private createTensor(shape: readonly number[], dtype: number, values: Values): number {
    const id = this.original.createTensor(shape, dtype, values);
    const copy = shape.length === 0 || values.length < KEPT ? values.slice() : values;
    this.constant(id, { shape: [...shape], dtype: dtypeOf(dtype), identity: this.uploading ?? {}, read: async () => copy });
    return id;
  }

  private constant(id: number, parts: Omit<TracedConstant, 'kind'>): void {
    this.edges.set(id, { node: { kind: 'constant', ...parts }, output: 0 });
  }

  private executeOp(op: string, attributes: readonly RawAttribute[], inputs: readonly number[], outputs: number): Metadata[] {
    const results = this.original.executeOp(op, attributes, inputs, outputs);
    const node: TracedOperation = {
      kind: 'operation',
      op,
      attributes: attributes.map(({ name, type, value }) => ({ name, kind: this.kindOf(type), value })),
      inputs: inputs.map((id) => this.edges.get(id) as TracedEdge),
      shapes: results.map(({ shape }) => [...shape]),
      dtypes: results.map(({ dtype }) => dtypeOf(dtype)),
    };
    this.operations.push(node);
    for (const [output, { id }] of results.entries()) this.edges.set(id, { node, output });
    return results;
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
    if (kind === undefined) throw new RuntimeError({ where: 'trace', what: `attributes of type ${type} are not understood` });
    return kind;
  }
}

/** Numbers from which on values are not copied: arrays of this size are made once and not written to again. */
const KEPT = 2 ** 16;

function dtypeOf(number: number): TracedDtype {
  const found = Object.entries(tensorflowTypes).find(([, value]) => value === number)?.[0];
  if (found === undefined) throw new RuntimeError({ where: 'trace', what: `tensors of type ${number} cannot be recorded` });
  return found as TracedDtype;
}
