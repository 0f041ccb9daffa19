import { describe, expect, it } from '@jest/globals';
import { halfBytes, type Quantised, uint8Bytes } from '../../src/export/quantise.js';

const values = Float32Array.from({ length: 500 }, (_, i) => Math.sin(i * 1.7) * (1 + (i % 7)) - 0.3);

describe('quantising', () => {
  it('as uint8 is off by half a step at most and keeps zero', () => {
    const stored = uint8Bytes(Float32Array.of(...values, 0)) as Quantised;
    const { scale, min } = stored.quantization as { scale: number; min: number };
    const restored = Array.from(stored.bytes, (byte) => byte * scale + min);
    expect(Math.max(...Array.from(values, (value, i) => Math.abs(value - (restored[i] as number))))).toBeLessThanOrEqual(
      scale * 0.501,
    );
    expect(Math.abs(restored[500] as number)).toBeLessThan(1e-7);
  });

  it('refuses what cannot be stored', () => {
    expect(uint8Bytes(Float32Array.of(1, Number.POSITIVE_INFINITY))).toBeUndefined();
    expect(halfBytes(Float32Array.of(1, 1e6))).toBeUndefined();
    expect(halfBytes(values)?.bytes).toHaveLength(1000);
  });
});
