import type { SampleValues } from './samples.js';

/**
 * Converts values of more than 8 bits to 8 bits. Integers up to 255 are unchanged, so that class numbers survive in a deep mask;
 * integers up to 4095 are taken as 12-bit, which most devices store in 16; larger ones as 16-bit. Non-integers and values outside
 * that range are scaled from minimum to maximum.
 *
 * @returns one byte per value.
 */
export function toBytes(values: SampleValues): Uint8Array {
  let [min, max, whole] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, true];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
    if (whole && !Number.isInteger(value)) whole = false;
  }
  const [from, to] = whole && min >= 0 && max <= 65535 ? [0, max <= 255 ? 255 : max <= 4095 ? 4095 : 65535] : [min, max];
  const span = to > from ? to - from : Number.POSITIVE_INFINITY;
  const level = (value: number) => Math.round(((Math.min(to, Math.max(from, value)) - from) * 255) / span);
  // NaN becomes 0.
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) bytes[i] = level(values[i] as number);
  return bytes;
}
