import { damaged } from './file-bytes.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Sequential reader of the operands of a pickle's opcodes; never reads past the end. */
export class PickleBytes {
  position = 0;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly where: string;

  constructor(bytes: Uint8Array, where: string) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.where = where;
  }

  /** @throws CheckpointError when fewer bytes are left. */
  take(length: number): Uint8Array {
    return this.bytes.subarray(this.advance(length), this.position);
  }

  uint8(): number {
    return this.view.getUint8(this.advance(1));
  }

  uint16(): number {
    return this.view.getUint16(this.advance(2), true);
  }

  uint32(): number {
    return this.view.getUint32(this.advance(4), true);
  }

  int32(): number {
    return this.view.getInt32(this.advance(4), true);
  }

  bigEndianDouble(): number {
    return this.view.getFloat64(this.advance(8));
  }

  /** An integer of any length in two's complement; a bigint if a number would not be exact. */
  longInteger(length: number): number | bigint {
    const bytes = this.take(length);
    const magnitude = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    const value = BigInt.asIntN(8 * length, magnitude);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  /** UTF-8; torch allows lone surrogates, which no weight's name contains. */
  text(length: number): string {
    const bytes = this.take(length);
    try {
      return utf8.decode(bytes);
    } catch (cause) {
      throw damaged(this.where, 'a text in it is not UTF-8', cause);
    }
  }

  latin1(length: number): string {
    return Buffer.from(this.take(length)).toString('latin1');
  }

  /** Reads up to the next line feed, which is consumed. */
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.position);
    if (end < 0) throw damaged(this.where, 'a line in it has no end');
    const line = this.text(end - this.position);
    this.advance(1);
    return line;
  }

  /** Skips the length of a frame, which is irrelevant when everything is in memory. */
  skipFrame(): void {
    this.advance(8);
  }

  /** @returns the previous position. */
  private advance(length: number): number {
    const before = this.position;
    if (before + length > this.bytes.length) throw damaged(this.where, 'it ends in the middle of its pickle');
    this.position += length;
    return before;
  }
}
