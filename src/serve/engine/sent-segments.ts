import {
  type BinaryMask,
  type BoxXyxy,
  boxOfMask,
  type Calibration,
  maskArea,
  maskToPng,
  maskToRle,
} from '../../imaging/index.js';
import { type MeasuresFields, measureMask, measuresFields } from '../../measure/index.js';
import type { MaskFormat, SentMask, SentSegment } from './jobs.js';

/** A segment or a box of a request. */
interface Found {
  readonly phrase: string;
  readonly score: number | null;
  readonly boxXyxyPx: BoxXyxy;
  readonly mask?: BinaryMask | undefined;
  readonly maskScore?: number | undefined;
}

/** Measures of a mask, or the reason why there are none. */
export function measuresOf(mask: BinaryMask | undefined, calibration: Calibration | undefined): MeasuresFields {
  return measuresFields(mask === undefined ? { reason: 'there is no mask' } : measureMask(mask, calibration));
}

/** A segment as it is sent. */
export async function sentSegment(
  { phrase, score, boxXyxyPx, mask, maskScore }: Found,
  calibration: Calibration | undefined,
  format: MaskFormat,
): Promise<SentSegment> {
  const bbox = widthsOf(boxXyxyPx);
  return {
    phrase,
    score,
    bbox,
    area: mask === undefined ? bbox[2] * bbox[3] : maskArea(mask),
    mask_score: maskScore ?? null,
    ...measuresOf(mask, calibration),
    mask: mask === undefined ? null : await sentMask(mask, format),
  };
}

/** A mask without a name, as it is sent. */
export async function sentMaskOf(mask: BinaryMask, score: number, calibration: Calibration | undefined, format: MaskFormat) {
  const box = boxOfMask(mask);
  return {
    bbox: box === undefined ? null : widthsOf(box),
    area: maskArea(mask),
    mask_score: score,
    ...measuresOf(mask, calibration),
    mask: await sentMask(mask, format),
  };
}

async function sentMask(mask: BinaryMask, format: MaskFormat): Promise<SentMask | null> {
  if (format === 'none') return null;
  return format === 'rle' ? maskToRle(mask) : base64(await maskToPng(mask));
}

/** Base64 using APIs that browsers have too. */
function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

function widthsOf([x0, y0, x1, y1]: BoxXyxy): [number, number, number, number] {
  return [x0, y0, x1 - x0, y1 - y0];
}
