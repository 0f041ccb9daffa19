import {
  type BinaryMask,
  brightness,
  darkest,
  findScanRegion,
  findText,
  keptPixels,
  looseMarks,
  type RasterImage,
  type ScanArea,
  type TextBox,
} from '../imaging/index.js';
import { DataError } from '../util/index.js';

/** Which pixels of an image or clip remain, and why. */
export interface PixelPlan {
  readonly region: ScanArea;
  /** Text in the region, blanked. */
  readonly text: readonly TextBox[];
  readonly kept: BinaryMask;
  /** What a person should look at. Empty: nothing is uncertain. */
  readonly doubts: readonly Doubt[];
}

/** `region`: its outline may be wrong; `text`: something blanked may be no text; `whole`: nothing outside was blanked. */
export type Doubt = 'region' | 'text' | 'whole';

type Box = readonly [x0: number, y0: number, x1: number, y1: number];

/** An image whose region is larger than this has nothing outside of it: it was cropped, or its banner was taken for a scan. */
const WHOLE = 0.985;

/** Share of a header's region that echoes fill for the rest of it to be searched for single letters. */
const ECHOES = 0.1;

/**
 * Decides which pixels remain: those of the scan region without the text in it.
 *
 * @param frames - sampled frames, as displayed.
 * @param boxes - regions of the header.
 * @param also - further boxes to blank.
 * @throws DataError when no scan is found.
 */
export function planPixels(
  frames: readonly RasterImage[],
  boxes: readonly Box[],
  also: readonly Box[],
  where: string,
): PixelPlan {
  const found = findText(frames);
  const region = findScanRegion(frames, boxes as [number, number, number, number][], found);
  if (region === undefined)
    throw new DataError({
      code: 'E_DEIDENTIFY_REGION',
      where,
      what: 'no scan was found in it: neither does its header state regions, nor does anything in it look like echoes',
      fix: 'Look at the image; if it shows a scan, crop it to the scan',
    });
  const inside = found.filter((box) => isInside(box, region.mask));
  const { tissue } = region;
  const beside =
    region.source === 'header' && tissue !== undefined && shareInside(tissue.mask, region.mask) > ECHOES
      ? looseMarks(darkest(frames.map(brightness)), region.mask, tissue.mask)
      : [];
  const asked = also.map((box) => clipped(box, region.mask));
  const text = [...inside, ...beside];
  const doubts: Doubt[] = [];
  if (region.uncertain) doubts.push('region');
  if (inside.some(({ uncertain }) => uncertain)) doubts.push('text');
  if (region.share > WHOLE) doubts.push('whole');
  return { region, text, kept: keptPixels(region.mask, [...text, ...asked.flat()]), doubts };
}

/** Whether a box holds pixels of the region. */
function isInside({ x0, y0, x1, y1 }: TextBox, { width, data }: BinaryMask): boolean {
  for (let y = y0; y <= y1; y++) for (let x = x0; x <= x1; x++) if (data[y * width + x] === 1) return true;
  return false;
}

/** The share of a region that another mask covers. */
function shareInside(mask: BinaryMask, region: BinaryMask): number {
  let [both, all] = [0, 0];
  for (const [i, inside] of region.data.entries()) {
    all += inside;
    both += inside & (mask.data[i] as number);
  }
  return both / Math.max(1, all);
}

function clipped([x0, y0, x1, y1]: Box, { width, height }: BinaryMask): TextBox[] {
  if (x0 >= width || y0 >= height) return [];
  return [{ x0, y0, x1: Math.min(x1, width - 1), y1: Math.min(y1, height - 1), uncertain: false }];
}

/** Indices of frames to look at, spread evenly over a clip with its first and last. */
export function sampledFrames(frames: number, most = 8): number[] {
  const count = Math.min(frames, most);
  return Array.from({ length: count }, (_, k) => (count === 1 ? 0 : Math.round((k * (frames - 1)) / (count - 1))));
}
