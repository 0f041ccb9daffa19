import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { DetectionCriterion, type DetectionOutputs, type DetectionTarget } from '../../src/losses/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectError } from '../support/expect-error.js';

useBackend();

const COSTS = { class: 1, bbox: 5, giou: 2 };
const LEVELS = [
  [4, 4],
  [2, 2],
] as const;
const CELLS = 20;
const TOKENS = 3;

/** A mask of 8x8 pixels that is 1 in a rectangle. */
function rectangle(x0: number, y0: number, x1: number, y1: number) {
  const data = new Uint8Array(64);
  for (let y = y0; y < y1; y++) data.fill(1, y * 8 + x0, y * 8 + x1);
  return { width: 8, height: 8, data };
}

function target(mask: ReturnType<typeof rectangle>, extra: Partial<DetectionTarget> = {}): DetectionTarget {
  return { boxesCxcywh: [[0.5, 0.5, 0.5, 0.5]], tokens: [[1]], masks: [mask], ...extra };
}

/** Outputs of one image, whose cells have given logits. */
function outputs(cells: tf.Tensor3D): DetectionOutputs {
  const layer = { logits: tf.zeros([1, 2, TOKENS]) as tf.Tensor3D, predBoxes: tf.fill([1, 2, 4], 0.5) as tf.Tensor3D };
  const encoder = { logits: tf.zeros([1, 2, TOKENS]) as tf.Tensor3D, predBoxes: tf.fill([1, 2, 4], 0.4) as tf.Tensor3D };
  return { layers: [layer], encoder, cells: { logits: cells, spatialShapes: LEVELS } };
}

function criterion(cells: number, classWeight = 0): DetectionCriterion {
  const weights = { class: classWeight, bbox: 0, giou: 0, auxiliary: 1, encoder: 1, cells };
  return new DetectionCriterion({ weights, costs: COSTS });
}

const textMask = () => tf.tensor2d([[1, 1, 0]], [1, TOKENS], 'int32');

/** The cells whose logits of token 1 the loss raises. */
async function raised(wanted: DetectionTarget): Promise<number[]> {
  const cells = tf.zeros([1, CELLS, TOKENS]) as tf.Tensor3D;
  const { gradients } = await criterion(1).evaluate(outputs(cells), textMask(), [wanted]);
  const at = gradients.find(([tensor]) => tensor === cells)?.[1] as tf.Tensor;
  const values = (await at.array()) as number[][][];
  return (values[0] as number[][]).flatMap((row, cell) => ((row[1] as number) < 0 ? [cell] : []));
}

describe('the loss over all cells of the encoder', () => {
  it('raises cells inside the mask on every level, and lowers the others', async () => {
    // Left upper quarter: 2x2 cells of the fine level and one of the coarse.
    expect(await raised(target(rectangle(0, 0, 4, 4)))).toEqual([0, 1, 4, 5, 16]);
  });

  it('raises the cell that contains a small object on every level', async () => {
    // One pixel, a quarter of a fine cell and a sixteenth of a coarse one.
    expect(await raised(target(rectangle(7, 7, 8, 8)))).toEqual([15, 19]);
  });

  it('leaves padding out of the image', async () => {
    // The image fills the left half of the input.
    expect(await raised(target(rectangle(0, 0, 8, 8), { extent: [0.5, 1] }))).toEqual([0, 1, 4, 5, 8, 9, 12, 13, 16, 18]);
  });

  it('gives each image of a batch its own cells', async () => {
    const cells = tf.zeros([2, CELLS, TOKENS]) as tf.Tensor3D;
    const one = outputs(tf.zeros([1, CELLS, TOKENS]));
    const twice = (layer: DetectionOutputs['layers'][number]) => ({
      logits: tf.tile(layer.logits, [2, 1, 1]) as tf.Tensor3D,
      predBoxes: tf.tile(layer.predBoxes, [2, 1, 1]) as tf.Tensor3D,
    });
    const both: DetectionOutputs = {
      layers: one.layers.map(twice),
      encoder: twice(one.encoder as NonNullable<DetectionOutputs['encoder']>),
      cells: { logits: cells, spatialShapes: LEVELS },
    };
    const mask = tf.tile(textMask(), [2, 1]);
    const targets = [target(rectangle(0, 0, 4, 4)), target(rectangle(7, 7, 8, 8))];
    const { gradients } = await criterion(1).evaluate(both, mask, targets);
    const at = (await gradients.find(([tensor]) => tensor === cells)?.[1].array()) as number[][][];
    const raisedIn = at.map((rows) => rows.flatMap((row, cell) => ((row[1] as number) < 0 ? [cell] : [])));
    expect(raisedIn).toEqual([
      [0, 1, 4, 5, 16],
      [15, 19],
    ]);
  });

  it('is the quality focal loss of the covered shares, over cells and objects', async () => {
    const logits = tf.randomNormal([1, CELLS, TOKENS], 0, 1, 'float32', 3) as tf.Tensor3D;
    // 3 of 8 columns: whole cells of the first column, half cells of the second, three quarters of the coarse level's left cells.
    const { total, terms } = await criterion(2).evaluate(outputs(logits), textMask(), [target(rectangle(0, 0, 3, 8))]);
    const shares = [...Array.from({ length: 16 }, (_, i) => [1, 0.5, 0, 0][i % 4] as number), 0.75, 0, 0.75, 0];
    const values = ((await logits.array()) as number[][][])[0] as number[][];
    let sum = 0;
    for (const [cell, row] of values.entries())
      for (const token of [0, 1]) {
        const wanted = token === 1 ? (shares[cell] as number) : 0;
        const p = 1 / (1 + Math.exp(-(row[token] as number)));
        const entropy = -wanted * Math.log(p) - (1 - wanted) * Math.log(1 - p);
        sum += (0.75 - 0.5 * wanted) * (p - wanted) ** 2 * entropy;
      }
    expect(total).toBeCloseTo((2 * sum) / CELLS, 5);
    expect(terms['cells']).toBe(total);
  });

  it('takes the place of the class loss of matched proposals', async () => {
    const cells = tf.zeros([1, CELLS, TOKENS]) as tf.Tensor3D;
    const evaluate = (weight: number) =>
      criterion(weight, 2).evaluate(outputs(cells), textMask(), [target(rectangle(0, 0, 4, 4))]);
    const [without, beside] = [await evaluate(0), await evaluate(1)];
    expect(without.terms['encoder']).toBeGreaterThan(0.1);
    expect(beside.terms['encoder']).toBe(0);
    expect(beside.terms['class']).toBe(without.terms['class']);
  });

  it('learns from an image without objects that no cell shows its phrases', async () => {
    const none: DetectionTarget = { boxesCxcywh: [], tokens: [], masks: [] };
    expect(await raised(none)).toEqual([]);
    const { total } = await criterion(1).evaluate(outputs(tf.zeros([1, CELLS, TOKENS])), textMask(), [none]);
    expect(total).toBeCloseTo(2 * 0.75 * 0.25 * Math.LN2, 5);
  });

  it('does not leak tensors', async () => {
    const given = outputs(tf.zeros([1, CELLS, TOKENS]));
    const mask = textMask();
    const leak = await leakOf(async () => {
      const { gradients } = await criterion(1, 1).evaluate(given, mask, [target(rectangle(0, 0, 4, 4))]);
      tf.dispose(gradients.map(([, gradient]) => gradient));
    });
    expect(leak).toBe(0);
  });

  it.each([
    ['outputs without cells', undefined, {}, /lack the logits of cells/],
    ['a target without masks', {}, { masks: [] }, /0 masks, but tokens of 1 objects/],
    ['levels with another number of cells', { spatialShapes: [[3, 3]] }, {}, /expected shape \[20\], got \[9\]/],
  ] as const)('refuses %s', async (_, cells, wanted, what) => {
    const whole = outputs(tf.zeros([1, CELLS, TOKENS]));
    const given = { ...whole, cells: cells && { ...whole.cells, ...cells } } as DetectionOutputs;
    const evaluated = criterion(1).evaluate(given, textMask(), [target(rectangle(0, 0, 4, 4), wanted)]);
    await expectError(evaluated, { code: 'E_SHAPE', what });
  });
});
