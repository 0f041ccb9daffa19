const [DISCRETE, LINEAR, INDIRECT] = [0, 1, 2];

/** A place in the segments' numbers, and how the table goes on from there. */
interface Reader {
  readonly data: readonly number[];
  readonly bytes: boolean;
  /** Entries that the table has at most. */
  readonly entries: number;
  readonly out: number[];
  /** Segments left to go through: such as hold nothing could be repeated for hours. */
  left: number;
}

const MAX_SEGMENTS = 1_000_000;

/**
 * Expands a segmented lookup table (DICOM PS3.3, C.7.9.2): entries one by one, straight lines from the entry before to a
 * given one, and repetitions of segments that stand elsewhere.
 *
 * @param data - segments in numbers of a byte, or of two.
 * @param bytes - whether they are of a byte, so that places take four of them instead of two.
 * @returns the table, or what is wrong with it.
 */
export function expandSegments(data: readonly number[], bytes: boolean, entries: number): number[] | string {
  const out: number[] = [];
  return run({ data, bytes, entries, out, left: MAX_SEGMENTS }, 0, Number.POSITIVE_INFINITY, true) ?? out;
}

/** Goes on through as many segments; says what is wrong. */
function run(reader: Reader, from: number, segments: number, mayRepeat: boolean): string | undefined {
  const { data, bytes, entries, out } = reader;
  let at = from;
  // Behind the last segment a byte may stand that fills up a word.
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
      if (start === undefined) return 'begins with a line from nowhere';
      for (let i = 1; i <= length; i++) out.push(Math.round(start + ((end - start) * i) / length));
    } else if (kind === INDIRECT) {
      // A repetition of repetitions, which the standard forbids, could go on for ever.
      if (!mayRepeat) return 'repeats a repetition';
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
