const [DISCRETE, LINEAR, INDIRECT] = [0, 1, 2];

/** The segment data and the state of the expansion. */
interface Reader {
  readonly data: readonly number[];
  readonly bytes: boolean;
  /** Maximum number of table entries. */
  readonly entries: number;
  readonly out: number[];
  /** Segments left before giving up: empty segments could be repeated for hours. */
  left: number;
}

const MAX_SEGMENTS = 1_000_000;

/**
 * Expands a segmented lookup table (DICOM PS3.3, C.7.9.2): discrete entries, linear ramps from the previous entry, and
 * repetitions of segments found elsewhere.
 *
 * @param data - segments as 1-byte or 2-byte numbers.
 * @param bytes - whether numbers are 1 byte, so that offsets take four of them instead of two.
 * @returns the table, or what is wrong with it.
 */
export function expandSegments(data: readonly number[], bytes: boolean, entries: number): number[] | string {
  const out: number[] = [];
  return run({ data, bytes, entries, out, left: MAX_SEGMENTS }, 0, Number.POSITIVE_INFINITY, true) ?? out;
}

/** Expands the given number of segments; returns what is wrong, if anything. */
function run(reader: Reader, from: number, segments: number, mayRepeat: boolean): string | undefined {
  const { data, bytes, entries, out } = reader;
  let at = from;
  // A padding byte may follow the last segment.
  for (let done = 0; done < segments && at + 2 < data.length && out.length < entries; done++) {
    if (reader.left-- === 0) return `has more than ${MAX_SEGMENTS} segments`;
    const [kind, length] = [data[at] as number, data[at + 1] as number];
    at += 2;
    if (kind === DISCRETE) {
      if (at + length > data.length) return 'ends early';
      out.push(...data.slice(at, at + length));
      at += length;
    } else if (kind === LINEAR) {
      const [start, end] = [out.at(-1), data[at++] as number];
      if (start === undefined) return 'begins with a linear segment';
      for (let i = 1; i <= length; i++) out.push(Math.round(start + ((end - start) * i) / length));
    } else if (kind === INDIRECT) {
      // Nested repetition, which the standard forbids, could loop for ever.
      if (!mayRepeat) return 'nests indirect segments';
      const width = bytes ? 4 : 2;
      const place = data.slice(at, at + width);
      if (place.length < width) return 'ends early';
      at += width;
      const offset = place.reduceRight((sum, part) => sum * (bytes ? 256 : 65536) + part, 0);
      const wrong = run(reader, bytes ? offset : offset / 2, length, false);
      if (wrong !== undefined) return wrong;
    } else return `has a segment of the unknown kind ${kind}`;
  }
  return out.length > entries ? `has ${out.length} entries where ${entries} are stated` : undefined;
}
