import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { messageBytes, ProtoWriter, writeMessage } from '../../src/util/index.js';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sonoground-protobuf-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const hex = async (writer: ProtoWriter) => Buffer.from(await messageBytes(writer)).toString('hex');

describe('a protocol buffer', () => {
  // The examples of the encoding's own documentation, and IEEE 754.
  it.each<[string, ProtoWriter, string]>([
    ['an integer of two bytes', new ProtoWriter().int(1, 150), '089601'],
    ['an integer above 2^32', new ProtoWriter().int(2, 2 ** 40 + 1), '10818080808020'],
    ['a negative integer', new ProtoWriter().int(1, -2), '08feffffffffffffffff01'],
    ['a bool', new ProtoWriter().bool(1, true), '0801'],
    ['a text', new ProtoWriter().text(2, 'testing'), '120774657374696e67'],
    ['a message', new ProtoWriter().message(3, (inner) => inner.int(1, 150)), '1a03089601'],
    ['a float', new ProtoWriter().float(2, 0.5), '150000003f'],
    ['a double', new ProtoWriter().double(1, 1.5), '09000000000000f83f'],
    ['a field above 15', new ProtoWriter().int(16, 1), '800101'],
  ])('holds %s', async (_name, writer, expected) => {
    expect(await hex(writer)).toBe(expected);
  });

  it('reads large fields only when it is written', async () => {
    let reads = 0;
    const late = { length: 3, read: async () => Uint8Array.of(reads++, 8, 9) };
    const writer = new ProtoWriter().bytes(1, late);
    expect([writer.length, reads]).toEqual([5, 0]);
    const path = join(dir, 'late.pb');
    await writeMessage(path, writer);
    expect((await readFile(path)).toString('hex')).toBe('0a03000809');
    expect(reads).toBe(1);
  });
});
