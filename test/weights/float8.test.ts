import { expect, it } from '@jest/globals';
import { float8ToFloat, floatToFloat8, LARGEST_FLOAT8 } from '../../src/weights/formats/float8.js';

const BYTES = Array.from({ length: 256 }, (_, byte) => byte);
const isNumber = (byte: number) => (byte & 0x7f) !== 0x7f;

it('decodes what torch.float8_e4m3fn holds', () => {
  // Bytes and values printed by torch 2.13.
  const known = { 0: 0, 1: 0.001953125, 7: 0.013671875, 8: 0.015625, 42: 0.3125, 56: 1, 119: 240, 126: 448, 184: -1, 254: -448 };
  for (const [byte, value] of Object.entries(known)) expect(float8ToFloat(Number(byte))).toBe(value);
  expect(BYTES.filter((byte) => Number.isNaN(float8ToFloat(byte)))).toEqual([127, 255]);
  expect(float8ToFloat(126)).toBe(LARGEST_FLOAT8);
});

it('encodes every number as the byte that it was decoded from', () => {
  for (const byte of BYTES.filter(isNumber)) expect(floatToFloat8(float8ToFloat(byte))).toBe(byte);
});

it('rounds to the nearest number, and ties to the even one', () => {
  const positive = BYTES.filter((byte) => byte < 127);
  for (const byte of positive.slice(0, -1)) {
    const [low, high] = [float8ToFloat(byte), float8ToFloat(byte + 1)];
    const middle = (low + high) / 2;
    expect(floatToFloat8(middle)).toBe(byte % 2 === 0 ? byte : byte + 1);
    expect(floatToFloat8(-middle)).toBe(0x80 | (byte % 2 === 0 ? byte : byte + 1));
    expect(floatToFloat8(middle - (high - low) / 100)).toBe(byte);
    expect(floatToFloat8(middle + (high - low) / 100)).toBe(byte + 1);
  }
});

it('has no infinity: too large a value is NaN', () => {
  expect([464, 464.1, Number.POSITIVE_INFINITY, Number.NaN].map((value) => float8ToFloat(floatToFloat8(value)))).toEqual([
    448,
    Number.NaN,
    Number.NaN,
    Number.NaN,
  ]);
});
