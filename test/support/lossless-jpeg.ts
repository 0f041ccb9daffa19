/**
 * Lossless JPEG by each predictor (ITU-T T.81, annex H), with codes of 5 bits for all 17 sizes.
 *
 * @param values - samples of a pixel together.
 */
export function losslessJpeg(
  values: ArrayLike<number>,
  {
    width,
    height,
    precision,
    predictor,
    restart = 0,
    ids = [1],
    shift = 0,
    apart = false,
    marks = [],
  }: {
    width: number;
    height: number;
    precision: number;
    predictor: number;
    /** Pixels between restarts. */
    restart?: number;
    /** Of the components. */
    ids?: readonly number[];
    /** Bits that are dropped (point transform). */
    shift?: number;
    /** Components in scans of their own. */
    apart?: boolean;
    /** Segments that stand first. */
    marks?: readonly number[];
  },
): Buffer {
  const out: number[] = [];
  let [held, count] = [0, 0];
  const put = (value: number, bits: number) => {
    for (let i = bits - 1; i >= 0; i--) {
      held = (held << 1) | ((value >> i) & 1);
      if (++count < 8) continue;
      out.push(held, ...(held === 255 ? [0] : []));
      [held, count] = [0, 0];
    }
  };
  const fill = () => {
    while (count > 0) put(1, 1);
  };
  const n = ids.length;
  const scan = (components: readonly number[]) => {
    let firstLine = 0;
    for (let i = 0; i < width * height; i++) {
      const [x, y] = [i % width, Math.floor(i / width)];
      const begins = i === 0 || (restart > 0 && i % restart === 0);
      if (begins && i > 0) {
        fill();
        out.push(0xff, 0xd0 + ((i / restart - 1) % 8));
        firstLine = y;
      }
      for (const c of components) {
        const at = (dx: number, dy: number) => (values[((y - dy) * width + x - dx) * n + c] as number) >> shift;
        const guesses = () => [
          at(1, 0),
          at(0, 1),
          at(1, 1),
          at(1, 0) + at(0, 1) - at(1, 1),
          at(1, 0) + ((at(0, 1) - at(1, 1)) >> 1),
          at(0, 1) + ((at(1, 0) - at(1, 1)) >> 1),
          (at(1, 0) + at(0, 1)) >> 1,
        ];
        const guess = begins
          ? 1 << (precision - shift - 1)
          : y === firstLine
            ? at(1, 0)
            : x === 0
              ? at(0, 1)
              : (guesses()[predictor - 1] as number);
        // Differences are taken modulo 2^16.
        const wrapped = ((at(0, 0) - guess) & 0xffff) >>> 0;
        const difference = wrapped > 32768 ? wrapped - 65536 : wrapped;
        const size = difference === 32768 ? 16 : 32 - Math.clz32(Math.abs(difference));
        put(size, 5);
        if (size < 16) put(difference < 0 ? difference + (1 << size) - 1 : difference, size);
      }
    }
    fill();
    return out.splice(0);
  };
  const scans = apart ? ids.map((_, c) => [c]) : [ids.map((_, c) => c)];
  const u16 = (value: number) => [value >> 8, value & 255];
  const segment = (marker: number, ...body: number[]) => [0xff, marker, ...u16(body.length + 2), ...body];
  return Buffer.from([
    ...[0xff, 0xd8],
    ...marks,
    ...segment(0xc4, 0, ...[0, 0, 0, 0, 17], ...Array(11).fill(0), ...Array.from({ length: 17 }, (_, i) => i)),
    ...(restart > 0 ? segment(0xdd, ...u16(restart)) : []),
    ...segment(0xc3, precision, ...u16(height), ...u16(width), n, ...ids.flatMap((id) => [id, 0x11, 0])),
    ...scans.flatMap((components) => [
      ...segment(0xda, components.length, ...components.flatMap((c) => [ids[c] as number, 0]), predictor, 0, shift),
      ...scan(components),
    ]),
    ...[0xff, 0xd9],
  ]);
}
