import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { CheckpointError } from '../../src/util/index.js';
import { openWeights } from '../../src/weights/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { pickledTensor, pickledText, pickleOf, torchZip, type ZipPart } from '../support/torch-zip.js';

const dir = temporaryFolder('hostile');

/** What is said of a file when all of it is read. */
async function complaint(name: string, bytes: Uint8Array | string): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, bytes);
  return complaintOf(path);
}

async function complaintOf(path: string): Promise<string> {
  const read = async () => {
    const source = await openWeights(path);
    try {
      for (const key of source.tensors.keys()) await source.read(key);
    } finally {
      await source.close();
    }
  };
  const error = await read().then(
    () => new Error('it was read'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CheckpointError);
  const { message } = error as Error;
  expect(message.length).toBeLessThan(10_000);
  return message;
}

const four = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);

/** A torch file whose state dict has one entry, with the key and the tensor that the steps put on the stack. */
function torchFile(
  key: Uint8Array,
  tensor: Uint8Array,
  others: readonly ZipPart[] = [{ name: 'a/data/0', bytes: four }],
): Buffer {
  return torchZip([{ name: 'a/data.pkl', bytes: pickleOf('}', key, tensor, 's') }, ...others]);
}

const name = pickledText('w');
const plain = pickledTensor([2n, 2n], [2n, 1n], 4n);

describe('an untrusted torch file', () => {
  it('is read where nothing is wrong with it', async () => {
    const path = join(dir, 'good.pth');
    await writeFile(path, torchFile(name, plain));
    const source = await openWeights(path);
    expect([...(await source.read('w')).data]).toEqual([1, 2, 3, 4]);
    await source.close();
  });

  it('does not walk through a list that holds itself a million times over in the place of a name', async () => {
    // Thirty lists of two, each the one before twice: written out they are a thousand million.
    const doubled = Array.from({ length: 30 }, (_, i) =>
      Buffer.from(['h'.charCodeAt(0), i, 'h'.charCodeAt(0), i, 0x86, 'q'.charCodeAt(0), i + 1]),
    );
    const key = Buffer.concat([
      Buffer.from(']q\0'),
      Buffer.from('0'),
      ...doubled.map((steps) => Buffer.concat([steps, Buffer.from('0')])),
      Buffer.from('h\x1e'),
    ]);
    expect(await complaint('laughs.pth', torchFile(key, plain))).toContain('a list of 2 in it is no name of a tensor');
  });

  it.each<[string, Buffer, RegExp]>([
    [
      'a stride of 0',
      torchFile(name, pickledTensor([100_000n, 100_000n], [0n, 0n], 4n)),
      /w has 10,000,000,000 values, of which only 4 are stored/,
    ],
    [
      'sizes whose product overflows',
      torchFile(name, pickledTensor([2n ** 40n, 2n ** 40n], [0n, 0n], 4n)),
      /a tensor in it is not described/,
    ],
    ['a negative size', torchFile(name, pickledTensor([-4n], [1n], 4n)), /a tensor in it is not described/],
    ['a negative stride', torchFile(name, pickledTensor([4n], [-1n], 4n, 3n)), /a tensor in it is not described/],
    ['an offset out of range', torchFile(name, pickledTensor([2n], [1n], 4n, 3n)), /w reaches beyond its storage/],
    [
      'a storage shorter than declared',
      torchFile(name, pickledTensor([8n], [1n], 8n)),
      /should have 8 F32 values, its storage has 16 bytes/,
    ],
    ['an unterminated name', torchFile(pickledText('w'.repeat(5_000_000)), plain), /a name of 5000000 characters/],
    ['a thousand axes', torchFile(name, pickledTensor(Array(1000).fill(1n), Array(1000).fill(1n), 4n)), /not described/],
    ['a compressed storage', torchFile(name, plain, [{ name: 'a/data/0', bytes: four, method: 8 }]), /a\/data\/0 is compressed/],
    [
      'an encrypted storage',
      torchFile(name, plain, [{ name: 'a/data/0', bytes: four, flags: 1 }]),
      /its zip directory cannot be read/,
    ],
    [
      'a duplicate storage',
      torchFile(name, plain, [
        { name: 'a/data/0', bytes: four },
        { name: 'a/data/0', bytes: four },
      ]),
      /a\/data\/0 is there twice/,
    ],
    [
      'a storage larger than the file',
      torchFile(name, pickledTensor([2n ** 28n], [1n], 2n ** 28n), [{ name: 'a/data/0', bytes: four, says: 2 ** 30 }]),
      /overflows file bounds/,
    ],
    [
      'endless opcodes',
      torchZip([{ name: 'a/data.pkl', bytes: pickleOf(Buffer.alloc(1_500_000, '}')) }]),
      /more steps than any weights need/,
    ],
  ])('with %s is refused', async (kind, bytes, message) => {
    expect(await complaint(`${kind.replaceAll(' ', '-')}.pth`, bytes)).toMatch(message);
  });
});

/** A safetensors file with any header. */
function safetensors(header: string, body: Uint8Array = four, says = Buffer.byteLength(header)): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(says));
  return Buffer.concat([length, Buffer.from(header), body]);
}

function header(entries: Record<string, unknown>): string {
  return JSON.stringify(entries);
}

const whole = { dtype: 'F32', shape: [4], data_offsets: [0, 16] };

describe('an untrusted safetensors file', () => {
  it.each<[string, Buffer, RegExp]>([
    [
      'a name of 30 MB',
      safetensors(header({ ['x'.repeat(30_000_000)]: whole })),
      /a tensor has a name of 30000000 characters: "x{200}…/,
    ],
    [
      'a name of backslashes',
      safetensors(`{"${'\\\\'.repeat(15_000_000)}":${JSON.stringify(whole)}}`),
      /a name of 15000000 characters/,
    ],
    ['a name that moves the cursor', safetensors(header({ '\u001b[2Jw': { ...whole, shape: [5] } })), /\\x1b\[2Jw is F32 \[5\]/],
    ['a million axes', safetensors(header({ w: { ...whole, shape: Array(1_000_000).fill(1) } })), /w has no valid shape/],
    ['negative sizes', safetensors(header({ w: { ...whole, shape: [-2, -2] } })), /w has no valid shape/],
    ['a fractional size', safetensors(header({ w: { ...whole, shape: [1.5] } })), /w has no valid shape/],
    [
      'an overflowing product',
      safetensors(header({ w: { ...whole, shape: [2 ** 31, 2 ** 31] } })),
      /more elements than can be counted/,
    ],
    ['a header longer than the file', safetensors(header({ w: whole }), four, 2 ** 40), /the header is longer than the file/],
    [
      'overlapping tensors',
      safetensors(header({ v: whole, w: { ...whole, shape: [2], data_offsets: [8, 16] } })),
      /w overlaps v/,
    ],
    ['a gap', safetensors(header({ w: { ...whole, shape: [2], data_offsets: [8, 16] } })), /8 unclaimed bytes before w/],
    [
      'offsets out of range',
      safetensors(header({ w: { ...whole, shape: [8], data_offsets: [0, 32] } })),
      /w ends after the file does/,
    ],
    ['inverted offsets', safetensors(header({ w: { ...whole, data_offsets: [16, 0] } })), /takes 16 bytes, but has -16/],
    ['a duplicate name', safetensors(`{"w":${JSON.stringify(whole)}, "\\u0077" :${JSON.stringify(whole)}}`), /w is there twice/],
    ['nested lists', safetensors('['.repeat(5_000_000)), /the header is not JSON/],
  ])('with %s is refused', async (kind, bytes, message) => {
    expect(await complaint(`${kind.replaceAll(' ', '-')}.safetensors`, bytes)).toMatch(message);
  });

  it('is not waited for when it is a pipe', async () => {
    const path = join(dir, 'pipe.safetensors');
    execFileSync('mkfifo', [path]);
    expect(await complaintOf(path)).toMatch(/pipe\.safetensors: it is a pipe or a device/);
    expect(await complaintOf('/dev/zero')).toMatch(/it is a pipe or a device/);
  });
});
