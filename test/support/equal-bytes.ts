import { expect } from '@jest/globals';

/**
 * Typed arrays and buffers of one kind with the same bytes are equal. Jest finds the same, element by element: a second for an image.
 * Others are left to jest, which shows how they differ.
 */
function haveEqualBytes(a: unknown, b: unknown): true | undefined {
  if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b)) return undefined;
  if (a.constructor !== b.constructor || a.byteLength !== b.byteLength) return undefined;
  const [x, y] = [a, b].map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength));
  return x !== undefined && y !== undefined && x.equals(y) ? true : undefined;
}

expect.addEqualityTesters([haveEqualBytes]);
