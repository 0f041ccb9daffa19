import { messageBytes, ProtoWriter } from '../../util/index.js';

/** TensorBoard's number format: `Event` messages in TFRecord frames, for every backend and without TensorFlow. */

/** The first record of an event file. */
export async function versionRecord(seconds: number): Promise<Buffer> {
  return frame(await messageBytes(new ProtoWriter().double(1, seconds).text(3, 'brain.Event:2')));
}

/**
 * One record with the scalars of a step.
 *
 * @see tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto
 */
export async function scalarsRecord(seconds: number, step: number, scalars: Readonly<Record<string, number>>): Promise<Buffer> {
  const event = new ProtoWriter()
    .double(1, seconds)
    .int(2, step)
    .message(5, (summary) => {
      for (const [tag, value] of Object.entries(scalars)) summary.message(1, (entry) => entry.text(1, tag).float(2, value));
    });
  return frame(await messageBytes(event));
}

/** Length, its checksum, the message, its checksum. @see tensorflow/core/lib/io/record_writer.h */
function frame(message: Uint8Array): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(message.length));
  return Buffer.concat([length, checksum(length), message, checksum(message)]);
}

function checksum(content: Uint8Array): Buffer {
  const crc = crc32c(content);
  const out = Buffer.alloc(4);
  // Masked, since a checksum over data that contains checksums is weak.
  out.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  return out;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** CRC-32C (Castagnoli), RFC 3720. */
export function crc32c(content: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of content) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] as number);
  return (crc ^ 0xffffffff) >>> 0;
}
