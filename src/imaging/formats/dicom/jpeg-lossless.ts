/** A decoded lossless JPEG. */
export interface LosslessFrame {
  readonly width: number;
  readonly height: number;
  readonly components: number;
  /** Interleaved samples. */
  readonly values: Uint16Array;
}

const [SOF3, DHT, SOI, EOI, SOS, DRI] = [0xc3, 0xc4, 0xd8, 0xd9, 0xda, 0xdd];

/** A Huffman table as stored: the number of codes of each length, and their values. */
interface Codes {
  readonly counts: Uint8Array;
  readonly values: Uint8Array;
}

/** Indexed by the next 16 bits: the length of the leading code times 256, plus its value; 0 if there is none. */
type HuffmanTable = Uint16Array;

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly precision: number;
  readonly ids: readonly number[];
  readonly values: Uint16Array;
  /** Components decoded so far. */
  readonly done: Set<number>;
}

interface Scan {
  /** Component indices with their Huffman tables. */
  readonly parts: readonly { readonly component: number; readonly table: HuffmanTable }[];
  readonly predictor: number;
  readonly shift: number;
  /** Restart interval in pixels; 0 for none. */
  readonly restart: number;
}

/**
 * Decodes lossless JPEG (ITU-T T.81, annex H): 2 to 16 bits, one or several full-size components in one or several scans, all
 * seven predictors, restarts, and the point transform.
 *
 * Own code because the libraries fall short: sharp's supports only 8 bits; jpeg-lossless-decoder-js 2.1.2 is wrong for predictor
 * 7 and for restarts with predictors 2 to 7, and accepts a truncated stream as complete.
 *
 * @throws Error when the stream is damaged or of another kind; the caller names the file.
 */
export function decodeLosslessJpeg(bytes: Uint8Array): LosslessFrame {
  const tables = new Map<number, Codes>();
  let frame: Frame | undefined;
  let restart = 0;
  let at = 2;
  if (bytes[0] !== 0xff || bytes[1] !== SOI) throw new Error('it does not begin as JPEG does');
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) throw new Error('a marker is missing');
    const marker = bytes[at + 1] as number;
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === EOI) break;
    const body = at + 4;
    const end = at + 2 + word(bytes, at + 2);
    if (end > bytes.length) break;
    at = end;
    if (marker === SOF3) {
      // A second one could declare any size.
      if (frame !== undefined) throw new Error('it has two frames');
      frame = frameOf(bytes, body);
    } else if (marker === DHT) readTables(bytes, body, end, tables);
    else if (marker === DRI) restart = word(bytes, body);
    else if (marker === SOS) {
      if (frame === undefined) throw new Error('its scan comes before its frame');
      at = decodeScan(bytes, end, scanOf(bytes, body, frame, tables, restart), frame);
      if (frame.done.size === frame.ids.length)
        return { width: frame.width, height: frame.height, components: frame.ids.length, values: frame.values };
    }
  }
  throw new Error('it ends before all of its scans');
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

function frameOf(bytes: Uint8Array, body: number): Frame {
  const [precision, components] = [bytes[body] as number, bytes[body + 5] as number];
  const [height, width] = [word(bytes, body + 1), word(bytes, body + 3)];
  const ids = Array.from({ length: components }, (_, i) => bytes[body + 6 + 3 * i] as number);
  if (width === 0 || height === 0) throw new Error('it does not say its size');
  if (precision < 2 || precision > 16) throw new Error(`it says ${precision} bits`);
  if (new Set(ids).size !== components || ids.some((_, i) => bytes[body + 7 + 3 * i] !== 0x11))
    throw new Error('its components are not all of full size');
  return { width, height, precision, ids, values: new Uint16Array(width * height * components), done: new Set() };
}

function scanOf(bytes: Uint8Array, body: number, frame: Frame, tables: ReadonlyMap<number, Codes>, restart: number): Scan {
  const count = bytes[body] as number;
  const parts = Array.from({ length: count }, (_, i) => {
    const component = frame.ids.indexOf(bytes[body + 1 + 2 * i] as number);
    const codes = tables.get((bytes[body + 2 + 2 * i] as number) >> 4);
    if (component < 0 || frame.done.has(component) || codes === undefined) throw new Error('its scan has no frame or no table');
    frame.done.add(component);
    return { component, table: tableOf(codes) };
  });
  const at = body + 1 + 2 * count;
  const [predictor, shift] = [bytes[at] as number, (bytes[at + 2] as number) & 15];
  if (count === 0 || predictor < 1 || predictor > 7 || shift >= frame.precision)
    throw new Error(`its predictor is ${predictor}, its shift ${shift}`);
  return { parts, predictor, shift, restart };
}

function readTables(bytes: Uint8Array, from: number, end: number, tables: Map<number, Codes>): void {
  for (let at = from; at + 17 <= end; ) {
    const counts = bytes.subarray(at + 1, at + 17);
    const total = counts.reduce((sum, count) => sum + count, 0);
    tables.set((bytes[at] as number) & 15, { counts, values: bytes.subarray(at + 17, at + 17 + total) });
    at += 17 + total;
  }
}

/** T.81, annex C: codes of each length, consecutive in the order of their values. */
function tableOf({ counts, values }: Codes): HuffmanTable {
  const table = new Uint16Array(65536);
  let [next, index] = [0, 0];
  for (let length = 1; length <= 16; length++) {
    const step = 1 << (16 - length);
    for (let k = 0; k < (counts[length - 1] as number); k++, next += step) {
      const value = values[index++];
      if (value === undefined || value > 16 || next + step > table.length) throw new Error('its table of codes makes no sense');
      table.fill((length << 8) | value, next, next + step);
    }
  }
  return table;
}

/** @returns the offset of the end of the scan. */
function decodeScan(bytes: Uint8Array, from: number, { parts, predictor, shift, restart }: Scan, frame: Frame): number {
  const { width, height, precision, values, ids } = frame;
  const [n, pixels] = [ids.length, width * height];
  const bits = new BitReader(bytes, from);
  const middle = 1 << (precision - shift - 1);
  // After a restart, prediction starts as in the first line.
  let firstLine = 0;
  for (let i = 0, x = 0, y = 0; i < pixels; i++) {
    const begins = i === 0 || (restart > 0 && i % restart === 0);
    if (begins && i > 0) {
      bits.restart();
      firstLine = y;
    }
    for (const { component, table } of parts) {
      const at = i * n + component;
      const prediction = begins ? middle : predict(values, at, n, width * n, x, y === firstLine, predictor);
      values[at] = prediction + bits.difference(table);
    }
    if (++x === width) [x, y] = [0, y + 1];
  }
  if (shift > 0)
    for (const { component } of parts)
      for (let at = component; at < values.length; at += n) values[at] = (values[at] as number) << shift;
  return bits.end();
}

/** T.81, table H.1; in the first line and the first column, the only neighbour there is. */
function predict(
  out: Uint16Array,
  at: number,
  pixel: number,
  line: number,
  x: number,
  firstLine: boolean,
  predictor: number,
): number {
  if (firstLine) return out[at - pixel] as number;
  const above = out[at - line] as number;
  if (x === 0) return above;
  const [left, corner] = [out[at - pixel] as number, out[at - line - pixel] as number];
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

/** Bit reader for entropy-coded bytes, in which each 255 is followed by a stuffed zero. */
class BitReader {
  private readonly bytes: Uint8Array;
  private at: number;
  private held = 0;
  private count = 0;
  /** Number of buffered bits past the end of the stream: codes are looked up 16 bits at a time. */
  private beyond = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  /** Reads a difference: its bit length, then the bits; length 16 stands for 32768 alone. */
  difference(table: HuffmanTable): number {
    const code = table[this.peek()] as number;
    if (code === 0) throw new Error('a code is not in its table');
    this.drop(code >> 8);
    const size = code & 255;
    if (size === 0) return 0;
    if (size === 16) return 32768;
    const value = this.peek() >> (16 - size);
    this.drop(size);
    return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
  }

  /** Skips the rest of the byte and the restart marker. */
  restart(): void {
    const at = this.end();
    if (this.bytes[at] !== 0xff || ((this.bytes[at + 1] as number) & 0xf8) !== 0xd0) throw new Error('a restart is missing');
    this.at = at + 2;
    [this.held, this.count, this.beyond] = [0, 0, 0];
  }

  /** The offset of the marker after these bytes. */
  end(): number {
    let at = this.at;
    while (at + 1 < this.bytes.length && !(this.bytes[at] === 0xff && this.bytes[at + 1] !== 0 && this.bytes[at + 1] !== 0xff))
      at++;
    return at;
  }

  private peek(): number {
    while (this.count < 16) {
      const byte = this.bytes[this.at];
      if (byte === undefined || (byte === 0xff && this.bytes[this.at + 1] !== 0)) {
        this.held <<= 8;
        this.beyond += 8;
      } else {
        this.held = (this.held << 8) | byte;
        this.at += byte === 0xff ? 2 : 1;
      }
      this.count += 8;
    }
    return (this.held >>> (this.count - 16)) & 0xffff;
  }

  private drop(n: number): void {
    this.count -= n;
    if (this.count < this.beyond) throw new Error('it ends early');
  }
}
