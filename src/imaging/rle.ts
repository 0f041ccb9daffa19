import type { BinaryMask } from './mask.js';

/** Encodes a mask as run lengths in column-major order, starting with zeros: COCO's uncompressed RLE. */
export function runsOf({ width, height, data }: BinaryMask): number[] {
  const runs: number[] = [];
  let value = 0;
  let length = 0;
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      if (data[y * width + x] === value) {
        length += 1;
        continue;
      }
      runs.push(length);
      value = 1 - value;
      length = 1;
    }
  }
  runs.push(length);
  return runs;
}

/**
 * Decodes uncompressed runs.
 *
 * @throws RangeError when the runs do not fill the mask exactly.
 */
export function maskOfRuns(runs: readonly number[], width: number, height: number): BinaryMask {
  const covered = runs.reduce((sum, run) => sum + run, 0);
  if (covered !== width * height || runs.some((run) => !(run >= 0)))
    throw new RangeError(`its runs hold ${covered} pixels, a ${width}x${height} mask has ${width * height}`);
  const data = new Uint8Array(width * height);
  let at = 0;
  for (const [i, run] of runs.entries()) {
    if (i % 2 === 1) for (let k = at; k < at + run; k++) data[(k % height) * width + Math.floor(k / height)] = 1;
    at += run;
  }
  return { width, height, data };
}

/** Encodes COCO's compressed string: runs as differences from the run two before, in base-32 digits from ASCII 48 on. */
export function encodeRle(mask: BinaryMask): string {
  const runs = runsOf(mask);
  let text = '';
  for (const [i, run] of runs.entries()) {
    let rest = i > 2 ? run - (runs[i - 2] as number) : run;
    for (let more = true; more; ) {
      let digit = rest & 0x1f;
      rest >>= 5;
      more = (digit & 0x10) !== 0 ? rest !== -1 : rest !== 0;
      if (more) digit |= 0x20;
      text += String.fromCharCode(digit + 48);
    }
  }
  return text;
}

/** COCO's RLE record: the compressed string with height and width. */
export interface CocoRle {
  readonly size: readonly [height: number, width: number];
  readonly counts: string;
}

/** Encodes a mask in the form that pycocotools and other COCO readers accept. */
export function maskToRle(mask: BinaryMask): CocoRle {
  return { size: [mask.height, mask.width], counts: encodeRle(mask) };
}

/** Decodes a compressed string. */
export function decodeRle(text: string, width: number, height: number): BinaryMask {
  const runs: number[] = [];
  for (let p = 0; p < text.length; ) {
    let value = 0;
    let shift = 0;
    let digit = 0;
    do {
      digit = text.charCodeAt(p++) - 48;
      value |= (digit & 0x1f) << shift;
      shift += 5;
    } while ((digit & 0x20) !== 0);
    if ((digit & 0x10) !== 0 && shift < 32) value |= -1 << shift;
    runs.push(runs.length > 2 ? value + (runs[runs.length - 2] as number) : value);
  }
  return maskOfRuns(runs, width, height);
}
