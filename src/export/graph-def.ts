import { type TracedAttribute, type TracedDtype, tensorflowTypes } from '../backend/index.js';
import { sizeOf } from '../util/index.js';
import type { ConstantValues, Graph, GraphNode, GraphPort, Signature } from './graph.js';
import { type Chunk, ProtoWriter } from './protobuf.js';

/** The version of TensorFlow's graphs that the nodes are written for: 2.15's. */
const PRODUCER = 1645;

const BYTES: Readonly<Record<TracedDtype, number>> = { float32: 4, int32: 4, bool: 1 };

/**
 * A graph as TensorFlow's `saved_model.pb`, without variables: weights are constants.
 *
 * @see tensorflow/core/protobuf/saved_model.proto
 */
export function savedModelMessage({ nodes, signatures }: Graph): ProtoWriter {
  return new ProtoWriter().int(1, 1).message(2, (metaGraph) => {
    metaGraph.message(1, (info) => info.text(4, 'serve').text(5, '2.15.0').bool(7, true));
    metaGraph.message(2, (graph) => {
      for (const node of nodes) graph.message(1, (message) => writeNode(message, node));
      graph.message(4, (versions) => versions.int(1, PRODUCER));
    });
    for (const [name, signature] of Object.entries(signatures))
      metaGraph.entry(5, name, (message) => writeSignature(message, signature));
  });
}

function writeNode(message: ProtoWriter, { name, op, inputs, attributes, constant }: GraphNode): void {
  message.text(1, name).text(2, op);
  for (const input of inputs) message.text(3, input);
  for (const attribute of attributes) message.entry(5, attribute.name, (value) => writeAttribute(value, attribute));
  if (constant !== undefined) message.entry(5, 'value', (value) => value.message(8, (tensor) => writeTensor(tensor, constant)));
}

function writeAttribute(message: ProtoWriter, { kind, value }: TracedAttribute): void {
  if (Array.isArray(value) && kind !== 'shape') {
    message.message(1, (list) => {
      for (const item of value) writeAttributeValue(list, kind, item);
    });
  } else writeAttributeValue(message, kind, value);
}

/** In `AttrValue` and in its lists, the fields are numbered alike. */
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

/** The values of a constant as bytes, read when they are needed. */
export function constantBytes({ dtype, shape, read }: ConstantValues): Chunk {
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
