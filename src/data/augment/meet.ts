import type { BoxXyxy } from '../../imaging/index.js';

/** Whether two boxes have a common area. */
export function meet(a: BoxXyxy, b: BoxXyxy): boolean {
  return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
}
