import { type Chunk, ProtoWriter, sizeOf } from '../../util/index.js';
import type { ConstantValues, Graph, GraphNode, GraphPort, Saver, Signature, Variable } from './graph.js';
import { type TracedAttribute, type TracedDtype, tensorflowTypes } from './traced.js';

/** GraphDef version that the nodes target: that of TensorFlow 2.15. */
const PRODUCER = 1645;

/** TensorFlow's type code of strings, which this project's tensors never contain. */
export const DT_STRING = 7;

const BYTES: Readonly<Record<TracedDtype, number>> = { float32: 4, int32: 4, bool: 1 };

/** The part of a SavedModel for weights in variables. */
export interface SavedVariables {
  readonly variables: readonly Variable[];
  readonly saver: Saver;
}

/**
 * A graph in the format of TensorFlow's `saved_model.pb`.
 *
 * @see tensorflow/core/protobuf/saved_model.proto, meta_graph.proto and saver.proto
 */
export function savedModelMessage({ nodes, signatures }: Graph, saved?: SavedVariables): ProtoWriter {
  return new ProtoWriter().int(1, 1).message(2, (metaGraph) => {
    metaGraph.message(1, (info) => info.text(4, 'serve').text(5, '2.15.0').bool(7, true));
    metaGraph.message(2, (graph) => writeGraph(graph, nodes));
    if (saved !== undefined) {
      metaGraph.message(3, (message) => writeSaver(message, saved.saver));
      // Python's TensorFlow finds variables by these collections, other consumers by the graph.
      for (const collection of ['variables', 'trainable_variables'])
        metaGraph.entry(4, collection, (message) =>
          message.message(2, (list) => {
            for (const variable of saved.variables) list.message(1, (definition) => writeVariable(definition, variable));
          }),
        );
    }
    for (const [name, signature] of Object.entries(signatures))
      metaGraph.entry(5, name, (message) => writeSignature(message, signature));
  });
}

/** Nodes in the format of TensorFlow's `GraphDef`. */
export function graphMessage(nodes: readonly GraphNode[]): ProtoWriter {
  const message = new ProtoWriter();
  writeGraph(message, nodes);
  return message;
}

function writeGraph(message: ProtoWriter, nodes: readonly GraphNode[]): void {
  for (const node of nodes) message.message(1, (own) => writeNode(own, node));
  message.message(4, (versions) => versions.int(1, PRODUCER));
}

function writeSaver(message: ProtoWriter, { filename, save, restore }: Saver): void {
  message.text(1, `${filename}:0`).text(2, `${save}:0`).text(3, restore).int(7, 2);
}

/** A `VariableDef`: handle, initialiser and read operation. */
function writeVariable(message: ProtoWriter, { handle, assign, read }: Variable): void {
  message.text(1, `${handle}:0`).text(2, assign).text(3, `${read}:0`).bool(5, true).text(6, `${read}:0`).bool(7, true);
}

function writeNode(message: ProtoWriter, { name, op, inputs, attributes, constant, text }: GraphNode): void {
  message.text(1, name).text(2, op);
  for (const input of inputs) message.text(3, input);
  for (const attribute of attributes) message.entry(5, attribute.name, (value) => writeAttribute(value, attribute));
  if (constant !== undefined) message.entry(5, 'value', (value) => value.message(8, (tensor) => writeTensor(tensor, constant)));
  if (text !== undefined) message.entry(5, 'value', (value) => value.message(8, (tensor) => writeText(tensor, text)));
}

function writeAttribute(message: ProtoWriter, { kind, value }: TracedAttribute): void {
  if (Array.isArray(value) && kind !== 'shape') {
    message.message(1, (list) => {
      for (const item of value) writeAttributeValue(list, kind, item);
    });
  } else writeAttributeValue(message, kind, value);
}

/** `AttrValue` and its lists use the same field numbers. */
function writeAttributeValue(message: ProtoWriter, kind: TracedAttribute['kind'], value: unknown): void {
  if (kind === 'string') message.text(2, String(value));
  else if (kind === 'int') message.int(3, Number(value));
  else if (kind === 'float') message.float(4, Number(value));
  else if (kind === 'bool') message.bool(5, value === true);
  else if (kind === 'type') message.int(6, Number(value));
  else message.message(7, (shape) => writeShape(shape, value as readonly number[]));
}

function writeShape(message: ProtoWriter, shape: readonly number[]): void {
  for (const size of shape) message.message(2, (dim) => dim.int(1, size));
}

function writeTensor(message: ProtoWriter, constant: ConstantValues): void {
  const { dtype, shape } = constant;
  message.int(1, tensorflowTypes[dtype]).message(2, (dims) => writeShape(dims, shape));
  message.bytes(4, constantBytes(constant));
}

function writeText(message: ProtoWriter, text: string | readonly string[]): void {
  const [shape, values] = typeof text === 'string' ? [[], [text]] : [[text.length], text];
  message.int(1, DT_STRING).message(2, (dims) => writeShape(dims, shape));
  for (const value of values) message.text(8, value);
}

/** The values of a constant as bytes, read on demand. */
function constantBytes({ dtype, shape, read }: ConstantValues): Chunk {
  return {
    length: sizeOf(shape) * BYTES[dtype],
    async read() {
      const { buffer, byteOffset, byteLength } = await read();
      return new Uint8Array(buffer, byteOffset, byteLength);
    },
  };
}

function writeSignature(message: ProtoWriter, { inputs, outputs }: Signature): void {
  for (const [key, port] of Object.entries(inputs)) message.entry(1, key, (info) => writePort(info, port));
  for (const [key, port] of Object.entries(outputs)) message.entry(2, key, (info) => writePort(info, port));
  message.text(3, 'tensorflow/serving/predict');
}

function writePort(message: ProtoWriter, { node, dtype, shape }: GraphPort): void {
  message
    .text(1, `${node}:0`)
    .int(2, tensorflowTypes[dtype])
    .message(3, (dims) => writeShape(dims, shape));
}
