import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { type CriterionReport, DetectionCriterion, type DetectionOutputs, type DetectionTarget } from '../../src/losses/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose, relativeError } from '../support/compare.js';
import { expectError } from '../support/expect-error.js';
import { GoldenCase } from '../support/golden.js';

useBackend();

const TOLERANCE = 1e-4;
const WEIGHTS = { class: 2, bbox: 5, giou: 2, auxiliary: 1, encoder: 1 };
const COSTS = { class: 1, bbox: 5, giou: 2 };

interface Case {
  readonly golden: GoldenCase;
  readonly outputs: DetectionOutputs;
  readonly textMask: tf.Tensor2D;
  readonly targets: DetectionTarget[];
}

async function readCase(name: string): Promise<Case> {
  const golden = await GoldenCase.read(name);
  const logits = tf.unstack(golden.tensor('in.logits')) as tf.Tensor3D[];
  const boxes = tf.unstack(golden.tensor('in.boxes')) as tf.Tensor3D[];
  const layers = logits.map((layer, i) => ({ logits: layer, predBoxes: boxes[i] as tf.Tensor3D }));
  const encoder = {
    logits: golden.tensor<tf.Tensor3D>('in.encoder_logits'),
    predBoxes: golden.tensor<tf.Tensor3D>('in.encoder_boxes'),
  };
  const textMask = golden.tensor<tf.Tensor2D>('in.text_mask');
  const image = (await golden.tensor('in.object_image').array()) as number[];
  const box = (await golden.tensor('in.object_box').array()) as [number, number, number, number][];
  const named = (await golden.tensor('in.object_tokens').array()) as number[][];
  const targets = Array.from({ length: textMask.shape[0] }, (_, b) => {
    const objects = image.flatMap((owner, i) => (owner === b ? [i] : []));
    const tokens = objects.map((i) => (named[i] as number[]).flatMap((on, t) => (on ? [t] : [])));
    return { boxesCxcywh: objects.map((i) => box[i] as [number, number, number, number]), tokens };
  });
  return { golden, outputs: { layers, encoder }, textMask, targets };
}

function valuesOf({ total, terms }: CriterionReport): (number | undefined)[] {
  return [total, terms['class'], terms['bbox'], terms['giou'], terms['auxiliary'], terms['encoder']];
}

function gradientAt({ gradients }: CriterionReport, output: tf.Tensor): tf.Tensor {
  const found = gradients.find(([tensor]) => tensor === output);
  if (found === undefined) throw new Error('no gradient at this output');
  return found[1];
}

describe('the criterion against transformers', () => {
  const cases: [string, string][] = [
    ['losses-single', 'one image'],
    ['losses-shared-prompt', 'a batch with one prompt, an image without objects, and padding'],
    ['losses-two-prompts', 'different prompts, where the reference is right only image by image'],
  ];

  it.each(cases)('%s: %s', async (name, _) => {
    const { golden, outputs, textMask, targets } = await readCase(name);
    const criterion = new DetectionCriterion({ weights: WEIGHTS, costs: COSTS });
    const report = await criterion.evaluate(outputs, textMask, targets);

    const expected = [...(await golden.tensor('out.values').data())];
    for (const [i, value] of valuesOf(report).entries())
      expect(relativeError([value as number], [expected[i] as number])).toBeLessThan(TOLERANCE);
    const stacked = (pick: (layer: DetectionOutputs['layers'][number]) => tf.Tensor) =>
      tf.stack(outputs.layers.map((layer) => gradientAt(report, pick(layer))));
    await expectClose(
      stacked(({ logits }) => logits),
      golden.tensor('grad.logits'),
      TOLERANCE,
    );
    await expectClose(
      stacked(({ predBoxes }) => predBoxes),
      golden.tensor('grad.boxes'),
      TOLERANCE,
    );
    const encoder = outputs.encoder as NonNullable<DetectionOutputs['encoder']>;
    await expectClose(gradientAt(report, encoder.logits), golden.tensor('grad.encoder_logits'), TOLERANCE);
    await expectClose(gradientAt(report, encoder.predBoxes), golden.tensor('grad.encoder_boxes'), TOLERANCE);
  });

  it('teaches the encoder, whose proposals the reference cuts off', async () => {
    const { outputs, textMask, targets } = await readCase('losses-single');
    const report = await new DetectionCriterion({ weights: WEIGHTS, costs: COSTS }).evaluate(outputs, textMask, targets);
    const encoder = outputs.encoder as NonNullable<DetectionOutputs['encoder']>;
    for (const output of [encoder.logits, encoder.predBoxes]) {
      const [largest = 0] = await tf.max(tf.abs(gradientAt(report, output))).data();
      expect(largest).toBeGreaterThan(1e-3);
    }
  });

  it('multiplies the other heads by their weights, and leaves them out at 0', async () => {
    const { golden, outputs, textMask, targets } = await readCase('losses-two-prompts');
    const [total = 0, , , , auxiliary = 0, encoder = 0] = await golden.tensor('out.values').data();
    const report = async (weights: { auxiliary: number; encoder: number }) =>
      new DetectionCriterion({ weights: { ...WEIGHTS, ...weights }, costs: COSTS }).evaluate(outputs, textMask, targets);
    const half = await report({ auxiliary: 0.5, encoder: 0.25 });
    expect(relativeError([half.total], [total - 0.5 * auxiliary - 0.75 * encoder])).toBeLessThan(TOLERANCE);
    await expectClose(
      gradientAt(half, (outputs.layers[0] as { logits: tf.Tensor }).logits).mul(2),
      tf.unstack(golden.tensor('grad.logits'))[0] as tf.Tensor,
      TOLERANCE,
    );
    const none = await report({ auxiliary: 0, encoder: 0 });
    expect(none.gradients).toHaveLength(2);
    expect(relativeError([none.total], [total - auxiliary - encoder])).toBeLessThan(TOLERANCE);
  });
});

describe('the criterion', () => {
  const criterion = new DetectionCriterion({ weights: WEIGHTS, costs: COSTS });

  it('leaves nothing behind but the gradients', async () => {
    const { outputs, textMask, targets } = await readCase('losses-shared-prompt');
    const all = async (options: { gradients: boolean }) => {
      const { gradients } = await criterion.evaluate(outputs, textMask, targets, options);
      tf.dispose(gradients.map(([, gradient]) => gradient));
      return gradients.length;
    };
    expect(await leakOf(() => all({ gradients: true }))).toBe(0);
    expect(await leakOf(() => all({ gradients: false }))).toBe(0);
    expect([await all({ gradients: true }), await all({ gradients: false })]).toEqual([8, 0]);
  });

  it('learns from images without objects that nothing is there', async () => {
    const { outputs, textMask, targets } = await readCase('losses-shared-prompt');
    const nothing = targets.map(() => ({ boxesCxcywh: [], tokens: [] }));
    const { total, terms, gradients } = await criterion.evaluate(outputs, textMask, nothing);
    expect(total).toBeGreaterThan(0);
    expect([terms['bbox'], terms['giou']]).toEqual([0, 0]);
    for (const [output, gradient] of gradients) {
      const isBoxes = output.shape[2] === 4;
      const values = [...(await gradient.data())];
      // Every token's logit is pushed down; padding tokens (the last two) are left alone.
      if (isBoxes) expect(values.every((value) => value === 0)).toBe(true);
      else expect(values.every((value, i) => (i % 12 < 10 ? value >= 0 : value === 0))).toBe(true);
    }
  });

  it('stays finite with proposals that are ruled out', async () => {
    const { outputs, textMask, targets } = await readCase('losses-single');
    const [{ logits, predBoxes }] = outputs.layers as [DetectionOutputs['layers'][number]];
    const values = Float32Array.from(await logits.data());
    values.fill(Number.NEGATIVE_INFINITY, 0, 24);
    // A padding token says yes as loudly as it can.
    values[35] = Number.POSITIVE_INFINITY;
    const layer = { logits: tf.tensor3d(values, logits.shape), predBoxes };
    const { total, gradients } = await criterion.evaluate({ layers: [layer], encoder: layer }, textMask, targets);
    expect(Number.isFinite(total)).toBe(true);
    for (const [, gradient] of gradients) expect([...(await gradient.data())].every(Number.isFinite)).toBe(true);
  });

  it.each([
    ["the encoder's proposals", { encoderMatches: 2 }, { decoder: 3, encoder: 6 }],
    ['the queries of every decoder layer', { decoderMatches: 2 }, { decoder: 6, encoder: 3 }],
  ])('matches several of %s to each of three objects on request', async (_, matches, expected) => {
    const { outputs, textMask, targets } = await readCase('losses-single');
    const many = new DetectionCriterion({ weights: { ...WEIGHTS, class: 0 }, costs: COSTS, ...matches });
    const report = await many.evaluate(outputs, textMask, targets);
    const answering = async (output: tf.Tensor) => {
      const perBox = (await tf.any(tf.notEqual(gradientAt(report, output), 0), 2).data()) as ArrayLike<number>;
      return Array.from(perBox).filter(Boolean).length;
    };
    expect(outputs.layers.length).toBeGreaterThan(1);
    for (const { predBoxes } of outputs.layers) expect(await answering(predBoxes)).toBe(expected.decoder);
    expect(await answering((outputs.encoder as NonNullable<DetectionOutputs['encoder']>).predBoxes)).toBe(expected.encoder);
  });

  describe('with the IoU as target', () => {
    const quality = new DetectionCriterion({ weights: { ...WEIGHTS, bbox: 0, giou: 0 }, costs: COSTS, iouTargets: true });
    const plain = new DetectionCriterion({ weights: { ...WEIGHTS, bbox: 0, giou: 0 }, costs: COSTS });
    const target: DetectionTarget = { boxesCxcywh: [[0.5, 0.5, 0.4, 0.4]], tokens: [[1]] };
    /** One query with logit 0 for both tokens. */
    const at = (box: [number, number, number, number]): DetectionOutputs => ({
      layers: [{ logits: tf.zeros([1, 1, 2]), predBoxes: tf.tensor3d([[box]]) }],
      encoder: undefined,
    });
    const slopes = async (criterion: DetectionCriterion, outputs: DetectionOutputs) => {
      const report = await criterion.evaluate(outputs, tf.ones([1, 2], 'int32'), [target]);
      return [...(await gradientAt(report, (outputs.layers[0] as { logits: tf.Tensor }).logits).data())] as [number, number];
    };

    it('a box that fits is scored as a match always is', async () => {
      const perfect = at([0.5, 0.5, 0.4, 0.4]);
      const [other, named] = await slopes(quality, perfect);
      const [expectedOther, expectedNamed] = await slopes(plain, perfect);
      expect(named).toBeLessThan(0);
      expect([other, named]).toEqual([expect.closeTo(expectedOther, 6), expect.closeTo(expectedNamed, 6)]);
    });

    it('a box elsewhere is scored down though it is the only match', async () => {
      const elsewhere = at([0.1, 0.1, 0.1, 0.1]);
      expect((await slopes(plain, elsewhere))[1]).toBeLessThan(0);
      const [other, named] = await slopes(quality, elsewhere);
      expect(named).toBeGreaterThan(0);
      expect(named).toBeCloseTo(other, 6);
    });

    it('a score that equals the IoU is left alone', async () => {
      // Half of the object, and nothing else: the IoU is 0.5, as is the probability of a logit of 0.
      expect((await slopes(quality, at([0.4, 0.5, 0.2, 0.4])))[1]).toBeCloseTo(0, 6);
    });
  });

  it('scores a model of one stage, which has no proposals, by its layers', async () => {
    const { golden, outputs, textMask, targets } = await readCase('losses-single');
    const [total = 0, , , , , encoder = 0] = await golden.tensor('out.values').data();
    const report = await criterion.evaluate({ layers: outputs.layers, encoder: undefined }, textMask, targets);
    expect(relativeError([report.total], [total - encoder])).toBeLessThan(TOLERANCE);
    expect(report.gradients).toHaveLength(2 * outputs.layers.length);
  });

  it('says what does not fit', async () => {
    const { outputs, textMask, targets } = await readCase('losses-single');
    const [first] = targets as [DetectionTarget];
    await expectError(criterion.evaluate(outputs, textMask, []), {
      code: 'E_SHAPE',
      where: 'DetectionCriterion',
      what: '1 images, but 0 targets',
    });
    const far = { ...first, tokens: first.tokens.map(() => [12]) };
    await expectError(criterion.evaluate(outputs, textMask, [far]), {
      code: 'E_SHAPE',
      where: 'target of image 0',
      what: 'token 12 of a prompt of 12 tokens',
    });
    const negative = { ...first, tokens: first.tokens.map(() => [0, -1]) };
    await expectError(criterion.evaluate(outputs, textMask, [negative]), {
      code: 'E_SHAPE',
      where: 'target of image 0',
      what: 'token -1 of a prompt of 12 tokens',
    });
    const beginning = { ...first, tokens: first.tokens.map(() => [0]) };
    expect((await criterion.evaluate(outputs, textMask, [beginning])).total).toBeGreaterThan(0);
    await expectError(criterion.evaluate(outputs, textMask, [{ ...first, tokens: [] }]), {
      code: 'E_SHAPE',
      where: 'target of image 0',
      what: 'tokens of 0 objects',
    });
    await expectError(criterion.evaluate(outputs, tf.ones([1, 11], 'int32'), targets), {
      code: 'E_SHAPE',
      where: 'DetectionCriterion: textMask',
      what: 'expected shape [1, 12], got [1, 11]',
    });
    const less = {
      ...(outputs.encoder as NonNullable<DetectionOutputs['encoder']>),
      predBoxes: tf.zeros([1, 6, 4]) as tf.Tensor3D,
    };
    await expectError(criterion.evaluate({ ...outputs, encoder: less }, textMask, targets), {
      code: 'E_SHAPE',
      where: 'DetectionCriterion: predBoxes',
      what: 'got [1, 6, 4]',
    });
    const fewer = (layer: DetectionOutputs['layers'][number]) => {
      const [b, q, t] = layer.logits.shape;
      return { logits: tf.zeros([b, q - 1, t]) as tf.Tensor3D, predBoxes: tf.zeros([b, q - 1, 4]) as tf.Tensor3D };
    };
    const [whole, ...others] = outputs.layers as [DetectionOutputs['layers'][number]];
    await expectError(criterion.evaluate({ ...outputs, layers: [whole, ...others.map(fewer)] }, textMask, targets), {
      code: 'E_SHAPE',
      where: 'DetectionCriterion: logits',
      what: 'expected shape',
    });
    const layers = outputs.layers.map((layer) => ({ ...layer, logits: tf.fill(layer.logits.shape, Number.NaN) as tf.Tensor3D }));
    await expectError(criterion.evaluate({ ...outputs, layers }, textMask, targets), {
      code: 'E_LOSS_NOT_FINITE',
      where: 'matching',
      what: 'not finite',
    });
  });
});
