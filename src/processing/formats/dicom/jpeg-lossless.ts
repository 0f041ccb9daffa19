/** A lossless JPEG's picture of grey. */
export interface LosslessFrame {
  readonly width: number;
  readonly height: number;
  readonly values: Uint16Array;
}

const [SOF3, DHT, SOI, EOI, SOS, DRI] = [0xc3, 0xc4, 0xd8, 0xd9, 0xda, 0xdd];

/** For codes of each length: the smallest, and where its values begin. -1 where there is none. */
interface HuffmanTable {
  readonly values: Uint8Array;
  readonly smallest: Int32Array;
  readonly largest: Int32Array;
  readonly start: Int32Array;
}

interface Scan {
  readonly table: HuffmanTable;
  readonly predictor: number;
  readonly shift: number;
  /** Samples between restarts; 0 for none. */
  readonly restart: number;
  /** Where the entropy-coded bytes begin. */
  readonly at: number;
}

/**
 * Decodes lossless JPEG (ITU-T T.81, annex H) with one component of 2 to 16 bits, all seven predictors: the library decodes no
 * more than 8 bits.
 *
 * @throws Error when the stream is damaged or of another kind; the caller names the file.
 */
export function decodeLosslessJpeg(bytes: Uint8Array): LosslessFrame {
  const tables = new Map<number, HuffmanTable>();
  let frame: { width: number; height: number; precision: number } | undefined;
  let restart = 0;
  let at = 2;
  if (bytes[0] !== 0xff || bytes[1] !== SOI) throw new Error('it does not begin as JPEG does');
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) throw new Error('a marker is missing');
    const marker = bytes[at + 1] as number;
    const body = at + 4;
    const end = at + 2 + word(bytes, at + 2);
    if (marker === SOF3) {
      frame = { precision: bytes[body] as number, height: word(bytes, body + 1), width: word(bytes, body + 3) };
      if (bytes[body + 5] !== 1 || frame.width === 0 || frame.height === 0)
        throw new Error('it is not one component of a known size');
    } else if (marker === DHT) readTables(bytes, body, end, tables);
    else if (marker === DRI) restart = word(bytes, body);
    else if (marker === SOS) {
      const table = tables.get((bytes[body + 2] as number) >> 4);
      if (frame === undefined || table === undefined) throw new Error('its scan comes before its frame or its table');
      const scan = { table, predictor: bytes[body + 3] as number, shift: (bytes[body + 5] as number) & 15, restart, at: end };
      return { width: frame.width, height: frame.height, values: decodeScan(bytes, scan, frame) };
    } else if (marker === EOI) break;
    at = end;
  }
  throw new Error('it ends before its scan');
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

function readTables(bytes: Uint8Array, from: number, end: number, tables: Map<number, HuffmanTable>): void {
  for (let at = from; at + 17 <= end; ) {
    const id = (bytes[at] as number) & 15;
    const counts = bytes.subarray(at + 1, at + 17);
    const total = counts.reduce((sum, count) => sum + count, 0);
    tables.set(id, tableOf(counts, bytes.subarray(at + 17, at + 17 + total)));
    at += 17 + total;
  }
}

/** T.81, F.2.2.3. */
function tableOf(counts: Uint8Array, values: Uint8Array): HuffmanTable {
  const [smallest, largest, start] = [new Int32Array(17), new Int32Array(17).fill(-1), new Int32Array(17)];
  for (let length = 1, code = 0, index = 0; length <= 16; length++, code <<= 1) {
    const count = counts[length - 1] as number;
    start[length] = index;
    smallest[length] = code;
    if (count > 0) largest[length] = code + count - 1;
    code += count;
    index += count;
  }
  return { values, smallest, largest, start };
}

function decodeScan(
  bytes: Uint8Array,
  { table, predictor, shift, restart, at }: Scan,
  { width, height, precision }: { readonly width: number; readonly height: number; readonly precision: number },
): Uint16Array {
  if (predictor < 1 || predictor > 7) throw new Error(`its predictor is ${predictor}`);
  const out = new Uint16Array(width * height);
  const bits = new BitReader(bytes, at);
  const middle = 1 << (precision - shift - 1);
  // After a restart a line is predicted as the first one is.
  let firstLine = 0;
  for (let i = 0; i < out.length; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    const begins = i === 0 || (restart > 0 && i % restart === 0);
    if (begins && i > 0) {
      bits.restart();
      firstLine = y;
    }
    const prediction = begins ? middle : predict(out, i, x, y === firstLine, width, predictor);
    out[i] = prediction + difference(bits, table);
  }
  return shift === 0 ? out : out.map((value) => value << shift);
}

/** T.81, table H.1; along the first line and the first column, the only neighbour there is. */
function predict(out: Uint16Array, i: number, x: number, firstLine: boolean, width: number, predictor: number): number {
  if (firstLine) return out[i - 1] as number;
  const above = out[i - width] as number;
  if (x === 0) return above;
  const [left, corner] = [out[i - 1] as number, out[i - width - 1] as number];
  switch (predictor) {
    case 1:
      return left;
    case 2:
      return above;
    case 3:
      return corner;
    case 4:
      return left + above - corner;
    case 5:
      return left + ((above - corner) >> 1);
    case 6:
      return above + ((left - corner) >> 1);
    default:
      return (left + above) >> 1;
  }
}

/** A difference: how many bits it has, then those; 16 stands for 32768 alone. */
function difference(bits: BitReader, table: HuffmanTable): number {
  const size = bits.symbol(table);
  if (size === 0) return 0;
  if (size === 16) return 32768;
  const value = bits.take(size);
  return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
}

/** Bits of entropy-coded bytes, in which a zero follows each 255. */
class BitReader {
  private readonly bytes: Uint8Array;
  private at: number;
  private held = 0;
  private count = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  take(n: number): number {
    let value = 0;
    for (let i = 0; i < n; i++) value = (value << 1) | this.bit();
    return value;
  }

  symbol({ values, smallest, largest, start }: HuffmanTable): number {
    for (let length = 1, code = this.bit(); length <= 16; length++, code = (code << 1) | this.bit()) {
      if (code > (largest[length] as number)) continue;
      const value = values[(start[length] as number) + code - (smallest[length] as number)];
      if (value !== undefined && value <= 16) return value;
      break;
    }
    throw new Error('a code is not in its table');
  }

  /** Drops what is left of a byte and the marker that follows. */
  restart(): void {
    this.count = 0;
    if (this.bytes[this.at] !== 0xff || ((this.bytes[this.at + 1] as number) & 0xf8) !== 0xd0)
      throw new Error('a restart is missing');
    this.at += 2;
  }

  private bit(): number {
    if (this.count === 0) {
      const byte = this.bytes[this.at++];
      const marker = byte === 0xff && this.bytes[this.at] !== 0;
      if (byte === undefined || marker) throw new Error('it ends early');
      if (byte === 0xff) this.at++;
      this.held = byte;
      this.count = 8;
    }
    return (this.held >> --this.count) & 1;
  }
}
