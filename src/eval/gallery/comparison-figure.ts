import { encodePng, phraseColour, type Rgb, wrapText } from '../../imaging/index.js';
import { blank, drawText, drawTile, lineHeight } from './canvas.js';
import { type Example, type PhraseMask, phrasesIn } from './examples.js';

/** One row of the figure: an image of a dataset with each method's result. */
export interface FigureRow {
  readonly dataset: string;
  /** An image with the results of all methods, in the order of the columns. */
  readonly example: Example;
}

const TILE = 240;
const GAP = 8;
/** Width of the dataset names. */
const NAMES = 120;
/** Font size in pixels. */
const TEXT = 16;
const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];

/**
 * The paper's figures 2 and 3: rows are datasets; columns are the bare image, the methods and the ground truth, each with the
 * image's DSC and IoU below. Long names of methods take several lines. A phrase has one colour in the whole figure.
 *
 * @param methods - names of the columns between image and ground truth.
 * @returns a PNG.
 */
export async function comparisonFigure(rows: readonly FigureRow[], methods: readonly string[]): Promise<Buffer> {
  const columns = ['image', ...methods, 'truth'];
  const phrases = [...new Set(rows.flatMap(({ example }) => phrasesIn(example)))].sort();
  const coloured = (masks: readonly PhraseMask[]) =>
    masks.map(({ phrase, mask }) => ({ mask, colour: phraseColour(phrases, phrase) }));
  const line = lineHeight(TEXT);
  const rowHeight = TILE + line + GAP;
  const headings = columns.map((name) => wrapText(name, TEXT, TILE));
  const heading = Math.max(...headings.map(({ length }) => length)) * line + GAP;
  const canvas = blank(
    { width: NAMES + columns.length * (TILE + GAP) + GAP, height: heading + rows.length * rowHeight + 2 * GAP },
    WHITE,
  );
  for (const [k, lines] of headings.entries())
    for (const [i, text] of lines.entries()) await drawText(canvas, text, left(k), GAP + i * line, TILE, TEXT, BLACK);
  for (const [r, { dataset, example }] of rows.entries()) {
    const top = heading + GAP + r * rowHeight;
    await drawText(canvas, dataset, GAP, top + TILE / 2, NAMES - GAP, TEXT, BLACK);
    const { image } = example.sample;
    const place = (k: number) => ({ x: left(k), y: top, width: TILE, height: TILE });
    drawTile(canvas, image, [], place(0));
    for (const [m, { masks, dsc, iou }] of example.answers.entries()) {
      drawTile(canvas, image, coloured(masks), place(m + 1));
      const scores = `DSC ${(100 * dsc).toFixed(1)} IoU ${(100 * iou).toFixed(1)}`;
      await drawText(canvas, scores, left(m + 1), top + TILE + 3, TILE, TEXT, BLACK);
    }
    drawTile(canvas, image, coloured(example.truth), place(columns.length - 1));
  }
  return encodePng(canvas);
}

function left(column: number): number {
  return NAMES + column * (TILE + GAP);
}
