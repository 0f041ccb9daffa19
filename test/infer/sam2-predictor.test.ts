import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { type BoxXyxy, maskArea, type RasterImage } from '../../src/imaging/index.js';
import { type MaskPrompts, type PromptAnswer, Sam2ImagePredictor, SamImagePredictor } from '../../src/infer/index.js';
import { parseSam2Config, type Sam2 } from '../../src/models/sam2/index.js';
import { loadSam2 } from '../../src/pretrained/index.js';
import { ImageProcessor } from '../../src/processing/index.js';
import { DataError, RuntimeError, UsageError } from '../../src/util/index.js';
import { useBackend } from '../support/backend.js';
import { relativeError } from '../support/compare.js';
import { fixtureJson, fixturePath, GoldenCase } from '../support/golden.js';
import { growthOf } from '../support/memory.js';

useBackend();

const SIDE = 96;
const square = new ImageProcessor({ ...base(), size: { height: SIDE, width: SIDE } });
const longest = new ImageProcessor({ ...base(), size: { longest_edge: SIDE } });

function base() {
  const [image_mean, image_std] = [
    [0.485, 0.456, 0.406],
    [0.229, 0.224, 0.225],
  ];
  return {
    do_resize: true,
    resample: 2 as const,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean,
    image_std,
  };
}

let model: Sam2;
let golden: GoldenCase;
let image: RasterImage;
let boxes: BoxXyxy[];
let points: [number, number][][];
let labels: number[][];

const openModel = () => loadSam2(fixturePath('sam2-odd'), parseSam2Config(fixtureJson('sam2-odd', 'config.json')));
/** A predictor that leaves the shared model alive. */
const predictorOf = (own: Sam2 = model) =>
  new Sam2ImagePredictor({ model: Object.create(own, { dispose: { value: () => {} } }) as Sam2, imageProcessor: square });

beforeAll(async () => {
  model = await openModel();
  golden = await GoldenCase.read('sam2-predictor');
  const pixels = golden.array('in.image');
  const [height = 0, width = 0] = pixels.shape;
  image = { width, height, data: Uint8Array.from(pixels.data as ArrayLike<number>) };
  const rows = <T>(name: string, size: number) => {
    const all = [...golden.array(name).data].map(Number);
    return Array.from({ length: all.length / size }, (_, i) => all.slice(i * size, (i + 1) * size)) as T[];
  };
  boxes = rows<BoxXyxy>('in.boxes', 4);
  const xy = rows<[number, number]>('in.points', 2);
  points = [0, 1, 2].map((i) => xy.slice(2 * i, 2 * i + 2));
  labels = rows<number[]>('in.labels', 2);
});
afterAll(() => void model.dispose());

function expectGolden(answers: readonly PromptAnswer[], key: string): void {
  const masks = answers.flatMap((answer) => answer.masks);
  const flat = (pick: (mask: (typeof masks)[number]) => ArrayLike<number>) => masks.flatMap((mask) => Array.from(pick(mask)));
  expect(
    relativeError(
      flat(({ logits }) => logits.data),
      golden.array(`${key}.logits`).data as Float32Array,
    ),
  ).toBeLessThan(1e-3);
  expect(
    relativeError(
      masks.map(({ score }) => score),
      golden.array(`${key}.scores`).data as Float32Array,
    ),
  ).toBeLessThan(1e-3);
  if (golden.has(`${key}.object`))
    expect(
      relativeError(
        answers.map(({ objectScore }) => objectScore as number),
        golden.array(`${key}.object`).data as Float32Array,
      ),
    ).toBeLessThan(1e-3);
  if (!golden.has(`${key}.masks`)) return;
  const expected = golden.array(`${key}.masks`).data as ArrayLike<number>;
  const ours = flat(({ mask }) => mask.data);
  expect(ours.length).toBe(expected.length);
  // Random weights put many pixels next to the threshold: a few may fall on its other side.
  expect(ours.filter((value, i) => value !== expected[i]).length / ours.length).toBeLessThan(2e-3);
}

describe('Sam2ImagePredictor', () => {
  it.each(['boxes', 'points', 'both'])('answers %s as the reference does, from image to masks on its grid', async (way) => {
    const predictor = predictorOf();
    await predictor.setImage(image);
    const prompts: MaskPrompts = { boxes: { boxes }, points: { points, labels }, both: { boxes, points, labels } }[way] ?? {};
    expectGolden(await predictor.predict(prompts), `out.${way}.single`);
    const several = await predictor.predict({ ...prompts, multimask: true });
    expect(several.map(({ masks }) => masks.length)).toEqual([3, 3, 3]);
    expectGolden(several, `out.${way}.multi`);
    predictor.dispose();
  });

  it("refines each prompt's own earlier mask", async () => {
    const predictor = predictorOf();
    await predictor.setImage(image);
    const first = await predictor.predict({ boxes });
    const masks = first.map((answer) => answer.masks[0]?.logits).filter((logits) => logits !== undefined);
    expectGolden(await predictor.predict({ boxes, masks }), 'out.refined');
    const alone = await predictor.predict({ masks });
    expect(alone.length).toBe(3);
    predictor.dispose();
  });

  it('answers many prompts as each of them alone, whatever number of points they have', async () => {
    const predictor = predictorOf();
    await predictor.setImage(image);
    const many = Array.from({ length: 40 }, (_, i) =>
      Array.from({ length: 1 + (i % 3) }, (_, k): [number, number] => [2 * i, i + 5 * k]),
    );
    const marks = many.map((own) => own.map((_, k) => k % 2));
    const decode = jest.spyOn(model, 'decodeMasks');
    const together = await predictor.predict({ points: many, labels: marks });
    expect(decode.mock.calls.length).toBe(3); // one for each number of points
    decode.mockRestore();
    for (const i of [0, 1, 2, 17, 39]) {
      const [alone] = await predictor.predict({ points: [many[i] ?? []], labels: [marks[i] ?? []] });
      const [a, b] = [together[i]?.masks[0], alone?.masks[0]];
      expect(relativeError(a?.logits.data ?? [], b?.logits.data ?? [1])).toBeLessThan(1e-4);
      expect(a?.score).toBeCloseTo(b?.score ?? 0, 5);
    }
    predictor.dispose();
  });

  it('encodes an image once, and another one again', async () => {
    const predictor = predictorOf();
    const encode = jest.spyOn(model, 'encodeImage');
    await predictor.setImage(image);
    const before = await predictor.predictBoxes(boxes);
    await predictor.setImage(image);
    expect(await predictor.predictBoxes(boxes)).toEqual(before);
    expect(encode.mock.calls.length).toBe(1);
    const other = { ...image, data: image.data.map((value) => 255 - value) };
    await predictor.setImage(other);
    expect(await predictor.predictBoxes(boxes)).not.toEqual(before);
    expect(encode.mock.calls.length).toBe(2);
    encode.mockRestore();
    expect(await predictor.predictBoxes([])).toEqual([]);
    predictor.dispose();
  });

  it('cuts masks at other probabilities, each within that of a lower one', async () => {
    const predictor = predictorOf();
    await predictor.setImage(image);
    const plain = await predictor.predictBoxes(boxes);
    const levelled = await predictor.predictBoxes(boxes, [0.3, 0.5, 0.7]);
    let differ = 0;
    for (const [i, { mask, score, atLevels = [] }] of levelled.entries()) {
      const [low, same, high] = atLevels.map(({ data }) => data) as [Uint8Array, Uint8Array, Uint8Array];
      expect({ mask, score }).toEqual(plain[i]);
      expect(same).toEqual(mask.data);
      expect(mask.data.every((value, at) => value <= (low[at] ?? 0) && value >= (high[at] ?? 1))).toBe(true);
      differ += Number(maskArea({ ...mask, data: low }) > maskArea({ ...mask, data: high }));
    }
    expect(differ).toBe(boxes.length);
    predictor.dispose();
  });

  it('is not confused by another image that is set while an answer is under way', async () => {
    const predictor = predictorOf();
    await predictor.setImage(image);
    const expected = await predictor.predictBoxes(boxes);
    const pending = predictor.predictBoxes(boxes);
    await predictor.setImage({ width: 9, height: 7, data: new Uint8Array(189) });
    expect(await pending).toEqual(expected);
    predictor.dispose();
  });
});

const full = (): BoxXyxy => [0, 0, 83, 61];
const table: [string, () => MaskPrompts, RegExp][] = [
  ['nothing', () => ({}), /prompts: there is none/],
  ['points without labels', () => ({ points }), /points and labels come together/],
  ['labels without points', () => ({ boxes, labels }), /points and labels come together/],
  [
    'boxes and points of different numbers',
    () => ({ boxes: [full()], points, labels }),
    /equally many, got 1 boxes, 3 points, 3 labels/,
  ],
  [
    'too few labels',
    () => ({
      points: [
        [
          [1, 2],
          [3, 4],
        ],
      ],
      labels: [[1]],
    }),
    /labels\[0\]: expected 2 labels, one for each point, got 1/,
  ],
  [
    'an invalid label',
    () => ({ points: [[[1, 2]]], labels: [[2]] }),
    /labels\[0\]\[0\]: expected 1 \(inside\) or 0 \(outside\), got 2/,
  ],
  ['a prompt without a point', () => ({ points: [[]], labels: [[]] }), /points\[0\]: there is no point/],
  [
    'a point outside',
    () => ({ points: [[[1, 2]], [[84.5, 2]]], labels: [[1], [1]] }),
    /points\[1\]\[0\]: \[84.5, 2\] lies outside the image, which is 83x61/,
  ],
  [
    'a NaN point',
    () => ({ points: [[[Number.NaN, 2]]], labels: [[1]] }),
    /points\[0\]\[0\]: expected two numbers, got \[NaN, 2\]/,
  ],
  ['a NaN box', () => ({ boxes: [full(), [1, Number.NaN, 3, 4]] }), /boxes\[1\]: expected four numbers, got \[1, NaN, 3, 4\]/],
  ['an endless box', () => ({ boxes: [[0, 0, Number.POSITIVE_INFINITY, 4]] }), /boxes\[0\]: expected four numbers/],
  [
    'a box of three coordinates',
    () => ({ boxes: [[1, 2, 3] as unknown as BoxXyxy] }),
    /boxes\[0\]: expected four numbers, got \[1, 2, 3\]/,
  ],
  ['an inverted box', () => ({ boxes: [[40, 8, 5, 50]] }), /boxes\[0\]: it has no area: \[40, 8, 5, 50\]/],
  ['a box without height', () => ({ boxes: [[5, 8, 40, 8]] }), /it has no area/],
  [
    'a box outside',
    () => ({ boxes: [[100, 100, 120, 130]] }),
    /boxes\[0\]: \[100, 100, 120, 130\] reaches out of the image, which is 83x61/,
  ],
  ['a box with a negative corner', () => ({ boxes: [[-9, 0, 20, 20]] }), /reaches out of the image/],
  [
    'an earlier mask of another size',
    () => ({ boxes: [full()], masks: [{ width: 16, height: 16, data: new Float32Array(256) }] }),
    /masks\[0\]: expected 24x24 logits, got 16x16 with 256 numbers/,
  ],
  [
    'a truncated earlier mask',
    () => ({ boxes: [full()], masks: [{ width: 24, height: 24, data: new Float32Array(9) }] }),
    /expected 24x24 logits, got 24x24 with 9 numbers/,
  ],
  [
    'an earlier mask of NaN',
    () => ({ boxes: [full()], masks: [{ width: 24, height: 24, data: new Float32Array(576).fill(Number.NaN) }] }),
    /masks\[0\]: it holds numbers that are not finite/,
  ],
];

describe('bad prompts', () => {
  let predictor: Sam2ImagePredictor;
  beforeAll(async () => {
    predictor = predictorOf();
    await predictor.setImage(image);
  });
  afterAll(() => predictor.dispose());

  it.each(table)('%s', async (_name, prompts, message) => {
    const before = tf.memory().numTensors;
    await expect(predictor.predict(prompts())).rejects.toThrow(message);
    await expect(predictor.predict(prompts())).rejects.toThrow(UsageError);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('takes a box that rounding put over the border', async () => {
    expect((await predictor.predict({ boxes: [[-0.4, 0, 83.4, 61.2]] })).length).toBe(1);
  });
});

describe('a predictor that is not ready', () => {
  it('asks for an image', async () => {
    const predictor = predictorOf();
    await expect(predictor.predict({ boxes })).rejects.toThrow(
      'Sam2ImagePredictor.predict: no image was set. Call setImage first',
    );
    await expect(predictor.predictBoxes([])).rejects.toThrow(RuntimeError);
  });

  it.each([
    ['too few bytes', { width: 4, height: 3, data: new Uint8Array(12) }],
    ['no pixels', { width: 0, height: 3, data: new Uint8Array(0) }],
    ['half a pixel', { width: 1.5, height: 2, data: new Uint8Array(9) }],
  ])('refuses an image with %s', async (_name, bad) => {
    await expect(predictorOf().setImage(bad)).rejects.toThrow(DataError);
  });

  it('says that it was disposed, and frees everything once', async () => {
    const before = tf.memory().numTensors;
    const predictor = new Sam2ImagePredictor({ model: await openModel(), imageProcessor: square });
    await predictor.setImage(image);
    predictor.dispose();
    predictor.dispose();
    expect(tf.memory().numTensors).toBe(before);
    await expect(predictor.setImage(image)).rejects.toThrow('Sam2ImagePredictor.setImage: it was disposed');
    await expect(predictor.predict({ boxes })).rejects.toThrow(RuntimeError);
  });
});

/** The way of SAM, which keeps proportions, around the model at hand. */
const padded = () =>
  new SamImagePredictor({
    model: Object.create(model, { dispose: { value: () => {} } }) as Sam2,
    imageProcessor: longest,
    imageSize: SIDE,
  });

describe('SamImagePredictor', () => {
  it('places the image in the upper left of the square, and its masks back', async () => {
    const predictor = padded();
    await predictor.setImage(image);
    const [answer] = await predictor.predict({ boxes: [[5, 8, 40.5, 50]] });
    const { pixelValues, pixelMask } = longest.process([image]);
    const [, height, width] = pixelValues.shape;
    expect([width, height]).toEqual([96, 71]); // 61 / 83 of 96 is 70.55
    const outputs = tf.tidy(() => {
      const whole = tf.pad(pixelValues, [
        [0, 0],
        [0, 96 - 71],
        [0, 0],
        [0, 0],
      ]);
      const context = {
        training: false,
        block: (_: unknown, x: unknown, fn: (y: unknown) => unknown) => fn(x),
        detach: (x: unknown) => x,
      } as never;
      const features = model.encodeImage(whole as tf.Tensor4D, context);
      const [sx, sy] = [96 / 83, 71 / 61];
      const box = tf.tensor3d([[[5 * sx, 8 * sy, 40.5 * sx, 50 * sy]]]);
      return { ...model.decodeMasks({ features, boxes: box, multimask: false }, context) };
    });
    expect(relativeError(answer?.masks[0]?.logits.data ?? [], await outputs.predMasks.data())).toBeLessThan(1e-5);
    expect([answer?.masks[0]?.mask.width, answer?.masks[0]?.mask.height]).toEqual([83, 61]);
    tf.dispose([{ ...outputs }, pixelValues, pixelMask] as never);
    predictor.dispose();
  });
});

describe.each([
  ['Sam2ImagePredictor', () => predictorOf()],
  ['SamImagePredictor', padded],
])('50 calls of %s', (_name, make) => {
  it('hold no more tensors and no more memory than a few', async () => {
    const predictor = make();
    const other = { ...image, data: image.data.map((value) => 255 - value) };
    const call = async (i: number) => {
      await predictor.setImage(i % 2 === 0 ? image : other);
      const [answer] = await predictor.predict({ boxes, points, labels, multimask: i % 3 === 0 });
      const logits = answer?.masks[0]?.logits;
      if (logits !== undefined) await predictor.predict({ boxes: [full()], masks: [logits] });
    };
    const { tensors, megabytes } = await growthOf(call, { warmUp: 20, calls: 50 });
    expect(tensors).toBe(0);
    // A call works on about 2 MB; keeping a twentieth of that at each would show.
    expect(megabytes).toBeLessThan(30);
    predictor.dispose();
  });
});
