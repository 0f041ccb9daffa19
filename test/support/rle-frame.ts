/** A frame in DICOM's run-length coding: one segment for each plane of bytes, runs and literal stretches mixed. */
export function rleFrame(planes: readonly Uint8Array[]): Uint8Array {
  const segments = planes.map(packBits);
  const header = Buffer.alloc(64);
  header.writeUInt32LE(segments.length, 0);
  let at = 64;
  for (const [i, segment] of segments.entries()) {
    header.writeUInt32LE(at, 4 + 4 * i);
    at += segment.length;
  }
  return Buffer.concat([header, ...segments]);
}

function packBits(bytes: Uint8Array): Buffer {
  const out: number[] = [];
  for (let i = 0; i < bytes.length; ) {
    let run = 1;
    while (run < 128 && i + run < bytes.length && bytes[i + run] === bytes[i]) run++;
    if (run > 1) {
      out.push(257 - run, bytes[i] as number);
      i += run;
      continue;
    }
    const start = i++;
    while (i - start < 128 && i < bytes.length && bytes[i] !== bytes[i + 1]) i++;
    out.push(i - start - 1, ...bytes.subarray(start, i));
  }
  if (out.length % 2 === 1) out.push(0x80);
  return Buffer.from(out);
}
