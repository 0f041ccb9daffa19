import { maskArea } from '../../imaging/index.js';
import { isMeasured, type MaskMeasures, type Unmeasured } from '../../measure/index.js';
import { csvText } from '../../util/index.js';
import type { ClipSegment } from './clip-segment.js';

/** An object on a frame, with what its row in `tracks.csv` is made from. */
interface TrackOnFrame {
  readonly segment: ClipSegment;
  readonly frame: number;
  /** From the clip's start, if the file states a rate. */
  readonly seconds: number | undefined;
  /** In millimetres, where the file states the size of the frame's pixels. */
  readonly measures: MaskMeasures | Unmeasured;
}

type Value = string | number | undefined;

/** The columns of `tracks.csv` after the clip's name, in order. Lengths end in their unit. */
const COLUMNS: readonly (readonly [name: string, value: (row: TrackOnFrame) => Value])[] = [
  ['frame', ({ frame }) => frame],
  ['seconds', ({ seconds }) => rounded(seconds, 4)],
  ['track', ({ segment }) => segment.track],
  ['phrase', ({ segment }) => segment.phrase],
  ['visible', ({ segment }) => Number(segment.visible)],
  ['detected', ({ segment }) => Number(segment.detected)],
  ['area_px', ({ segment }) => maskArea(segment.mask)],
  ['centre_x_px', ({ segment }) => rounded(centreOf(segment.mask)?.[0], 2)],
  ['centre_y_px', ({ segment }) => rounded(centreOf(segment.mask)?.[1], 2)],
  ['left_px', ({ segment }) => segment.boxXyxyPx?.[0]],
  ['top_px', ({ segment }) => segment.boxXyxyPx?.[1]],
  ['right_px', ({ segment }) => segment.boxXyxyPx?.[2]],
  ['bottom_px', ({ segment }) => segment.boxXyxyPx?.[3]],
  ['score', ({ segment }) => rounded(segment.score, 4)],
  ['mask_score', ({ segment }) => rounded(segment.maskScore, 4)],
  ['object_score', ({ segment }) => rounded(segment.objectScore, 4)],
  ['area_mm2', ({ measures }) => (isMeasured(measures) ? rounded(measures.areaMm2, 2) : undefined)],
  ['long_axis_mm', ({ measures }) => (isMeasured(measures) ? rounded(measures.longAxis.mm, 2) : undefined)],
  ['short_axis_mm', ({ measures }) => (isMeasured(measures) ? rounded(measures.shortAxis.mm, 2) : undefined)],
];

/** The values of one row, without the clip's name. */
export function trackRow(row: TrackOnFrame): (string | number | null)[] {
  return COLUMNS.map(([, value]) => value(row) ?? null);
}

/** The text of `tracks.csv`: an object of a clip on a frame per line. */
export function tracksCsv(
  clips: readonly { readonly fileName: string; readonly rows: readonly (readonly unknown[])[] }[],
): string {
  const head = ['clip', ...COLUMNS.map(([name]) => name)];
  return csvText([head, ...clips.flatMap(({ fileName, rows }) => rows.map((row) => [fileName, ...row]))]);
}

/** The centroid of a mask, in pixels from the top-left corner; undefined if it is empty. */
function centreOf({ width, data }: ClipSegment['mask']): readonly [number, number] | undefined {
  let [x, y, area] = [0, 0, 0];
  for (let i = 0; i < data.length; i++) {
    if (data[i] === 0) continue;
    x += (i % width) + 0.5;
    y += Math.floor(i / width) + 0.5;
    area += 1;
  }
  return area === 0 ? undefined : [x / area, y / area];
}

function rounded(value: number | undefined, digits: number): number | undefined {
  return value === undefined ? undefined : Number(value.toFixed(digits));
}
