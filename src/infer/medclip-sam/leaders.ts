/**
 * The channels that torch's `topk` keeps on the CPU: those of the highest values. All values being equal, which they are kept is
 * decided by nothing but how the C++ library of GCC partitions (`nth_element`); of 768 zeros, 300 are channels 385 to 576, 601 to
 * 612 and 672 to 767.
 *
 * @returns indices, in no particular order.
 */
export function leadingChannels(values: Float32Array, count: number): number[] {
  const indices = [...values.keys()];
  if (count >= indices.length) return indices;
  if (values.every((value) => value === values[0])) return partitionedEquals(indices, count).slice(0, count);
  return indices.sort((a, b) => (values[b] as number) - (values[a] as number) || a - b).slice(0, count);
}

/** What `nth_element` leaves of equal elements, the nth being the last of those kept. */
function partitionedEquals(elements: number[], count: number): number[] {
  const swap = (a: number, b: number) => {
    [elements[a], elements[b]] = [elements[b] as number, elements[a] as number];
  };
  const nth = count - 1;
  let [first, last] = [0, elements.length];
  while (last - first > 3) {
    // No element is less than another: the median of three is the one in the middle, and both sides stop at every element.
    swap(first, first + ((last - first) >> 1));
    let [low, high] = [first + 1, last - 1];
    while (low < high) {
      swap(low, high);
      low += 1;
      high -= 1;
    }
    if (low <= nth) first = low;
    else last = low;
  }
  return elements;
}
