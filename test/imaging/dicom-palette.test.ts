import { describe, expect, it } from '@jest/globals';
import { DicomFile } from '../../src/imaging/index.js';
import { SYNTAX } from '../support/dicom.js';
import { description, element, part10, u16 } from '../support/dicom-bytes.js';
import { expectError } from '../support/expect-error.js';
import { fixtureJson } from '../support/golden.js';

interface Table {
  readonly bits: 8 | 16;
  readonly segments: readonly number[];
  readonly entries: readonly number[];
}
const { palettes } = fixtureJson('dicom', 'cases.json') as { palettes: readonly Table[] };

const bytesOf = (numbers: readonly number[], bits: number) => (bits === 8 ? Buffer.from(numbers) : u16(...numbers));
const swapped = (bytes: Buffer) => (bytes.length % 2 === 0 ? Buffer.from(bytes).swap16() : bytes);

/** A line of pixels through a palette. */
function file(
  { bits, segments, entries }: { bits: number; segments: readonly number[]; entries: number },
  stored: ArrayLike<number>,
  { first = 0, signed = false, plain = false, bigEndian = false } = {},
): Buffer {
  const order = { bigEndian };
  const words = (bytes: Buffer) => (bigEndian ? swapped(bytes) : bytes);
  const descriptor = words(u16(entries, first & 0xffff, bits));
  return part10(bigEndian ? '1.2.840.10008.1.2.2' : SYNTAX.explicit, [
    description({ width: stored.length, height: 1, bits: 16, signed, photometric: 'PALETTE COLOR', bigEndian }),
    ...[1, 2, 3].map((c) => element(0x00281100 + c, signed ? 'SS' : 'US', descriptor, order)),
    ...[1, 2, 3].map((c) => element((plain ? 0x00281200 : 0x00281220) + c, 'OW', words(bytesOf(segments, bits)), order)),
    element(0x7fe00010, 'OW', words(u16(...Array.from(stored, (v) => v & 0xffff))), order),
  ]);
}
const read = async (bytes: Buffer) => {
  const { data } = await (await DicomFile.parse(bytes, 'x.dcm')).image(0);
  return [...data].filter((_, i) => i % 3 === 0);
};

describe('a segmented palette', () => {
  it.each(palettes)('of $bits bits expands as pydicom does: single entries, lines, repetitions', async (table) => {
    const stored = table.entries.map((_, i) => i);
    const shown = table.entries.map((v) => (table.bits === 8 ? v : v >> 8));
    const of = { ...table, entries: stored.length };
    expect(await read(file(of, stored))).toEqual(shown);
    expect(await read(file(of, stored, { bigEndian: true }))).toEqual(shown);
  });

  it('of 16 bits repeats from a place given in bytes', async () => {
    // Two entries, a line, then the line once more: it begins at byte 8.
    const segments = [0, 2, 0x0100, 0x0200, 1, 2, 0x0400, 2, 1, 8, 0, 0, 1, 0xff00];
    expect(await read(file({ bits: 16, segments, entries: 7 }, [0, 1, 2, 3, 4, 5, 6]))).toEqual([1, 2, 3, 4, 4, 4, 255]);
  });

  it.each([
    ['ends early', [0, 9, 1, 2, 3, 4]],
    ['begins with a linear segment', [1, 3, 200, 0]],
    ['nests indirect segments', [0, 1, 5, 2, 1, 3, 0, 0, 0, 0]],
    ['has a segment of the unknown kind 7', [7, 1, 5, 0]],
    ['has 9 entries where 3 are stated', [0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]],
  ])('is refused if it %s', async (what, segments) => {
    await expectError(read(file({ bits: 8, segments, entries: 3 }, [0])), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: `its segmented palette ${what}`,
    });
  });

  it('is refused where it is too short', async () => {
    await expectError(read(file({ bits: 8, segments: [0, 2, 1, 2], entries: 3 }, [0])), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: 'its palette has 2 of 3 entries',
    });
  });
});

describe('a palette', () => {
  it.each([8, 16])('of %d bits begins at its first number, which may be signed, and clamps beyond its ends', async (bits) => {
    const levels = [10, 20, 30, 40].map((v) => (bits === 8 ? v : v << 8));
    const of = { bits, segments: levels, entries: 4 };
    expect(await read(file(of, [0, 100, 101, 103, 200], { first: 100, plain: true }))).toEqual([10, 10, 20, 40, 40]);
    expect(await read(file(of, [-9, -2, -1, 0, 1, 9], { first: -2, signed: true, plain: true }))).toEqual([
      10, 10, 20, 30, 40, 40,
    ]);
    expect(await read(file(of, [0, 1, 2, 3], { plain: true, bigEndian: true }))).toEqual([10, 20, 30, 40]);
  });
});
