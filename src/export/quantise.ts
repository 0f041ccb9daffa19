import { floatToHalf, LARGEST_HALF } from '../weights/formats/index.js';

/** Stored values, and how to decode them. */
export interface Quantised {
  readonly bytes: Uint8Array;
  /** In the format of TensorFlow.js's weights manifest. */
  readonly quantization?: Readonly<Record<string, unknown>>;
}

/** Half precision; undefined when a value is too large for it. */
export function halfBytes(values: Float32Array): Quantised | undefined {
  if (values.some((value) => Number.isFinite(value) && Math.abs(value) > LARGEST_HALF)) return undefined;
  const halves = Uint16Array.from(values, floatToHalf);
  return { bytes: new Uint8Array(halves.buffer), quantization: { dtype: 'float16', original_dtype: 'float32' } };
}

/**
 * Affine 8-bit quantisation: 256 evenly spaced values from the smallest to the largest, one of them zero; undefined when a value
 * is not finite.
 *
 * @see Jacob et al. 2018, section 2.1
 */
export function uint8Bytes(values: Float32Array): Quantised | undefined {
  let [low, high] = [0, 0];
  for (const value of values) {
    if (!Number.isFinite(value)) return undefined;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const scale = (high - low) / 255 || 1;
  const zero = Math.round(-low / scale);
  const bytes = Uint8Array.from(values, (value) => Math.max(0, Math.min(255, Math.round(value / scale) + zero)));
  return { bytes, quantization: { dtype: 'uint8', scale, min: -zero * scale, original_dtype: 'float32' } };
}
