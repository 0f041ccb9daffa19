/** The largest E4M3 number; values up to 464 round to it. There are no infinities. */
export const LARGEST_FLOAT8 = 448;

/** Decodes an eight-bit float with four bits of exponent and three of fraction (E4M3, `torch.float8_e4m3fn`). */
export function float8ToFloat(byte: number): number {
  const sign = byte & 0x80 ? -1 : 1;
  const exponent = (byte >> 3) & 0xf;
  const fraction = byte & 0x7;
  if (exponent === 15 && fraction === 7) return Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -9 : sign * (1 + fraction / 8) * 2 ** (exponent - 7);
}

/** Encodes the nearest E4M3 number, ties to even; NaN for values that are too large. */
export function floatToFloat8(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x80 : 0;
  const size = Math.abs(value);
  // Also for NaN.
  if (!(size <= 464)) return sign | 0x7f;
  const exponent = Math.max(Math.floor(Math.log2(size)), -6);
  // In units of the last bit, an integer's binary form is exponent and fraction; rounding up carries into the exponent.
  const units = roundToEven(size * 2 ** (3 - exponent));
  return sign | (((exponent + 6) << 3) + units);
}

function roundToEven(value: number): number {
  const whole = Math.floor(value);
  const rest = value - whole;
  return rest > 0.5 || (rest === 0.5 && whole % 2 === 1) ? whole + 1 : whole;
}
