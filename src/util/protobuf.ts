import { writeFileAtomic } from './write-file-atomic.js';

/** Bytes in memory, or read lazily on writing. */
export type Chunk = Uint8Array | { readonly length: number; read(): Promise<Uint8Array> };

const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/**
 * Builds a protobuf message. Large fields can be read lazily on writing, so that a model of any size needs no second copy in
 * memory.
 *
 * @see https://protobuf.dev/programming-guides/encoding
 */
export class ProtoWriter {
  private readonly parts: Chunk[] = [];
  private size = 0;

  /** In bytes. */
  get length(): number {
    return this.size;
  }

  get chunks(): readonly Chunk[] {
    return this.parts;
  }

  /** An integer; negative ones in 64-bit two's complement. */
  int(field: number, value: number): this {
    return this.push(varint(field * 8)).push(varint(value));
  }

  bool(field: number, value: boolean): this {
    return this.int(field, value ? 1 : 0);
  }

  float(field: number, value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    return this.push(varint(field * 8 + FIXED32)).push(bytes);
  }

  double(field: number, value: number): this {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    return this.push(varint(field * 8 + FIXED64)).push(bytes);
  }

  text(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value, 'utf8'));
  }

  bytes(field: number, value: Chunk): this {
    return this.push(varint(field * 8 + LENGTH_DELIMITED))
      .push(varint(value.length))
      .push(value);
  }

  message(field: number, write: (message: ProtoWriter) => void): this {
    const inner = new ProtoWriter();
    write(inner);
    this.push(varint(field * 8 + LENGTH_DELIMITED)).push(varint(inner.size));
    for (const part of inner.parts) this.push(part);
    return this;
  }

  /** An entry of a `map<string, …>`. */
  entry(field: number, key: string, write: (value: ProtoWriter) => void): this {
    return this.message(field, (pair) => pair.text(1, key).message(2, write));
  }

  private push(part: Chunk): this {
    this.parts.push(part);
    this.size += part.length;
    return this;
  }
}

/** Bytes that are gathered before they are written: a graph has a hundred thousand chunks of a few bytes. */
const GATHERED = 2 ** 20;

/** Writes a message, reading lazy chunks as needed. */
export async function writeMessage(path: string, { chunks }: ProtoWriter): Promise<void> {
  await writeFileAtomic(path, async (file) => {
    let gathered: Uint8Array[] = [];
    let size = 0;
    const flush = async () => {
      if (size > 0) await file.writeFile(Buffer.concat(gathered, size));
      gathered = [];
      size = 0;
    };
    for (const chunk of chunks) {
      const bytes = chunk instanceof Uint8Array ? chunk : await chunk.read();
      gathered.push(bytes);
      size += bytes.length;
      if (size >= GATHERED) await flush();
    }
    await flush();
  });
}

/** Serialises a message to one byte array. */
export async function messageBytes({ chunks, length }: ProtoWriter): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk instanceof Uint8Array ? chunk : await chunk.read(), at);
    at += chunk.length;
  }
  return bytes;
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  if (value >= 0) {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
    bytes.push(rest);
    return Uint8Array.from(bytes);
  }
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Uint8Array.from(bytes);
}
