import { crc32 } from 'node:zlib';

/** A file of a zip. What is not given is as `torch.save` writes it. */
export interface ZipPart {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The size that the directory claims. Default: the true one. */
  readonly says?: number;
  /** Default: 0, stored. */
  readonly method?: number;
  /** Default: none. */
  readonly flags?: number;
}

/** The bytes of a zip as `torch.save` writes it, or nearly so. */
export function torchZip(parts: readonly ZipPart[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, bytes, says = bytes.length, method = 0, flags = 0 } of parts) {
    const title = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(says, 14);
    common.writeUInt32LE(says, 18);
    common.writeUInt16LE(title.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, title, bytes]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, rest, title]));
    locals.push(local);
    at += local.length;
  }
  const size = directory.reduce((sum, entry) => sum + entry.length, 0);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(parts.length, 8);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, ...directory, end]);
}

/** The bytes of a pickle of protocol 2: numbers are opcodes and operands, texts are themselves. */
export function pickleOf(...parts: readonly (number | string | Uint8Array)[]): Buffer {
  const bytes = parts.map((part) =>
    typeof part === 'number' ? Buffer.of(part) : typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part),
  );
  return Buffer.concat([Buffer.of(0x80, 2), ...bytes, Buffer.from('.')]);
}

/** The steps that put a text on the stack. */
export function pickledText(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Buffer.byteLength(text));
  return Buffer.concat([Buffer.from('X'), length, Buffer.from(text)]);
}

/** The steps that put a whole number of up to eight bytes on the stack. */
function pickledInteger(value: bigint): Buffer {
  const bytes = Buffer.alloc(10);
  bytes[0] = 0x8a;
  bytes[1] = 8;
  bytes.writeBigInt64LE(value, 2);
  return bytes;
}

/** The steps that put a float tensor on the stack, whose storage is `data/0`. */
export function pickledTensor(shape: readonly bigint[], stride: readonly bigint[], elements: bigint, offset = 0n): Buffer {
  const tuple = (values: readonly bigint[]) => Buffer.concat([Buffer.from('('), ...values.map(pickledInteger), Buffer.from('t')]);
  return Buffer.concat([
    Buffer.from('ctorch._utils\n_rebuild_tensor_v2\n(('),
    pickledText('storage'),
    Buffer.from('ctorch\nFloatStorage\n'),
    pickledText('0'),
    pickledText('cpu'),
    pickledInteger(elements),
    Buffer.from('tQ'),
    pickledInteger(offset),
    tuple(shape),
    tuple(stride),
    Buffer.of(0x89),
    Buffer.from('}tR'),
  ]);
}
