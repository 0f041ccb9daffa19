import type { SampleValues } from './samples.js';

/**
 * Numbers of more than 8 bits as 8. Whole ones up to 255 stay as they are, so that class numbers survive in a deep mask; whole
 * ones up to 4095 are of 12 bits, which is what most devices put into 16; larger ones are of 16. Numbers that are not whole or
 * not in that range are spread from the smallest to the largest.
 *
 * @returns as many bytes as there are numbers.
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
  // What is not a number becomes 0.
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) bytes[i] = level(values[i] as number);
  return bytes;
}
