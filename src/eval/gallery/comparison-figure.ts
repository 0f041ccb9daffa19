import { encodePng } from '../../processing/index.js';
import { blank, drawText, drawTile, lineHeight, type Rgb } from './canvas.js';
import type { Example } from './examples.js';

/** One row of the figure: an image of a dataset as each method sees it. */
export interface FigureRow {
  readonly dataset: string;
  /** By method, in the order of the columns; all of the same image. */
  readonly examples: readonly Example[];
}

const TILE = 240;
const GAP = 8;
/** Room for the names of the datasets. */
const NAMES = 120;
/** Of the font, in pixels. */
const TEXT = 16;
const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];
/** Okabe and Ito's orange for predictions, their sky blue for the truth. */
const PREDICTED: Rgb = [230, 159, 0];
const TRUTH: Rgb = [86, 180, 233];

/**
 * The paper's figures 2 and 3: rows are datasets, columns the bare image, the methods and the truth, with DSC and IoU of the
 * image under each.
 *
 * @param methods - names of the columns between image and truth.
 * @returns a PNG.
 */
export async function comparisonFigure(rows: readonly FigureRow[], methods: readonly string[]): Promise<Buffer> {
  const columns = ['image', ...methods, 'truth'];
  const line = lineHeight(TEXT);
  const rowHeight = TILE + line + GAP;
  const canvas = blank(
    { width: NAMES + columns.length * (TILE + GAP) + GAP, height: line + GAP + rows.length * rowHeight + GAP },
    WHITE,
  );
  for (const [k, name] of columns.entries()) await drawText(canvas, name, left(k), GAP, TILE, TEXT, BLACK);
  for (const [r, { dataset, examples }] of rows.entries()) {
    const top = line + GAP + r * rowHeight;
    await drawText(canvas, dataset, GAP, top + TILE / 2, NAMES - GAP, TEXT, BLACK);
    const [first] = examples;
    if (first === undefined) continue;
    const place = (k: number) => ({ x: left(k), y: top, width: TILE, height: TILE });
    drawTile(canvas, first.sample.image, undefined, place(0), TRUTH);
    for (const [m, { sample, predicted, dsc, iou }] of examples.entries()) {
      drawTile(canvas, sample.image, predicted, place(m + 1), PREDICTED);
      const scores = `DSC ${(100 * dsc).toFixed(1)} IoU ${(100 * iou).toFixed(1)}`;
      await drawText(canvas, scores, left(m + 1), top + TILE + 3, TILE, TEXT, BLACK);
    }
    drawTile(canvas, first.sample.image, first.truth, place(columns.length - 1), TRUTH);
  }
  return encodePng(canvas);
}

function left(column: number): number {
  return NAMES + column * (TILE + GAP);
}
