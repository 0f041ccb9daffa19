import { readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { initBackend, tf } from '../../src/backend/index.js';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { exportModel } from '../../src/export/index.js';
import { writeMasker } from '../../src/export/write-masker.js';
import type { RasterImage } from '../../src/imaging/index.js';
import { createMasker } from '../../src/infer/create-masker.js';
import { ExportedMasker } from '../../src/infer/exported/exported-masker.js';
import {
  type ExportForm,
  loadExported,
  type MaskPrompts,
  openRunner,
  type PromptAnswer,
  readManifest,
  Sam2ImagePredictor,
  SamImagePredictor,
} from '../../src/infer/index.js';
import { loadMasker } from '../../src/pretrained/index.js';
import { ImageProcessor } from '../../src/processing/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { fixturePath } from '../support/golden.js';
import { describeUnless, notNative } from '../support/skipped.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Graphs are recorded on TensorFlow. */
const missing = notNative(await initBackend());
useBackend();

const DETECTOR = 'weights/nano-grounding-dino';
const POINTS = 3;

const dir = temporaryFolder('export-masker');
let image: RasterImage;
/** Maskers of each kind; SAM's has an image size that is not a power of two, and windows that do not fit it. */
const maskers: Record<string, string> = { sam2: 'weights/nano-sam2' };
beforeAll(async () => {
  maskers['sam'] = join(dir, 'sam');
  await cp(fixturePath('sam-windows'), maskers['sam'], { recursive: true });
  const domain = phantomDomains['standard'] as PhantomDomain;
  image = (await new PhantomDataset({ size: 1, seed: 9, width: 128, height: 90, domain }).load(0)).image;
});

interface Prompting {
  setImage(image: RasterImage): Promise<void>;
  predict(prompts: MaskPrompts): Promise<PromptAnswer[]>;
  dispose(): void;
}

async function original(kind: string): Promise<Prompting> {
  const parts = await loadMasker(maskers[kind] as string);
  if (parts.type === 'sam2') return new Sam2ImagePredictor(parts);
  return new SamImagePredictor({ ...parts, imageSize: parts.config.vision.imageSize });
}

/** The masker alone, without the detector that an export has too. */
async function exported(kind: string, form: ExportForm): Promise<Prompting> {
  const root = join(dir, `${kind}-${form}`);
  const parts = await loadMasker(maskers[kind] as string);
  const options = { form, points: POINTS };
  const part = await writeMasker(parts, maskers[kind] as string, options, root).finally(() => parts.model.dispose());
  const errors = part.verification.map(({ max_abs_error: error }) => error);
  process.stderr.write(
    `${kind} as ${form}: largest error ${Math.max(...errors).toExponential(1)} over ${errors.length} comparisons\n`,
  );
  expect(errors.length).toBeGreaterThan(5);
  expect(Math.max(...errors)).toBeLessThan(1e-4);
  const folder = join(root, part.path);
  if (form === 'safetensors') return createMasker(await loadMasker(folder)) as unknown as Prompting;
  const [runner, imageProcessor] = [await openRunner(root, form, part), await ImageProcessor.load(folder)];
  return new ExportedMasker({ runner, imageProcessor, part });
}

/** As many points as the graph has, which is exact. */
const POINT = [
  [
    [64, 40],
    [20, 70],
    [100, 20],
  ],
  [
    [30, 30],
    [90, 60],
    [10, 10],
  ],
] as const;
const LABELS = [
  [1, 0, 0],
  [1, 1, 0],
] as const;
const BOXES = [
  [30, 20, 90, 70],
  [10, 5, 60, 50],
] as const;

async function expectAlike(title: string, actual: PromptAnswer[], expected: PromptAnswer[]): Promise<void> {
  expect(actual).toHaveLength(expected.length);
  let largest = 0;
  for (const [i, { masks, objectScore }] of expected.entries()) {
    const [mask, other] = [masks[0], actual[i]?.masks[0]];
    if (mask === undefined || other === undefined) throw new Error('no mask');
    expect([other.mask.width, other.mask.height]).toEqual([mask.mask.width, mask.mask.height]);
    const scale = Math.max(...mask.logits.data.map(Math.abs));
    for (const [k, value] of mask.logits.data.entries())
      largest = Math.max(largest, Math.abs(value - (other.logits.data[k] as number)) / scale);
    expect(Math.abs(other.score - mask.score)).toBeLessThan(1e-5);
    if (objectScore === undefined) expect(actual[i]?.objectScore).toBeUndefined();
    else expect(Math.abs((actual[i]?.objectScore as number) - objectScore)).toBeLessThan(1e-5);
    const differing = mask.mask.data.reduce((sum, value, j) => sum + (value === other.mask.data[j] ? 0 : 1), 0);
    expect(differing / mask.mask.data.length).toBeLessThan(1e-3);
  }
  process.stderr.write(`${title}: logits differ by ${largest.toExponential(1)} of the largest\n`);
  expect(largest).toBeLessThan(1e-4);
}

const forms: ExportForm[] = missing === undefined ? ['safetensors', 'savedmodel', 'graph-model'] : ['safetensors'];
const cases = forms.flatMap((form) => Object.keys({ sam2: 0, sam: 0 }).map((kind) => [kind, form] as const));

describe.each(cases)('a masker of type %s as %s', (kind, form) => {
  it('answers boxes, points, both, and earlier masks as the model does', async () => {
    const [ours, theirs] = [await original(kind), await exported(kind, form)];
    try {
      await ours.setImage(image);
      await theirs.setImage(image);
      const prompts: Record<string, MaskPrompts> = {
        boxes: { boxes: BOXES },
        points: { points: POINT, labels: LABELS },
        both: { boxes: BOXES, points: POINT, labels: LABELS },
      };
      for (const [name, prompt] of Object.entries(prompts)) {
        const first = await ours.predict(prompt);
        await expectAlike(`${kind} as ${form}, ${name}`, await theirs.predict(prompt), first);
        const again = { ...prompt, masks: first.map(({ masks }) => masks[0]?.logits as never) };
        const refined = await ours.predict(again);
        expect(refined[0]?.masks[0]?.logits.data).not.toEqual(first[0]?.masks[0]?.logits.data);
        await expectAlike(`${kind} as ${form}, ${name} and masks`, await theirs.predict(again), refined);
        expect(await leakOf(() => theirs.predict(again))).toBe(0);
      }
      const many = { boxes: Array.from({ length: 19 }, (_, i) => [i, i, i + 40, i + 50] as const) };
      await expectAlike(`${kind} as ${form}, many boxes`, await theirs.predict(many), await ours.predict(many));
    } finally {
      ours.dispose();
      theirs.dispose();
    }
  });
});

describeUnless(missing, 'prompts that a graph has no place for', () => {
  it('are answered by padding, or refused with what helps', async () => {
    await exportModel(
      { detector: DETECTOR, masker: maskers['sam'] as string },
      { form: 'savedmodel', to: join(dir, 'few'), points: POINTS, textLength: 16 },
    );
    const { detector, masker } = await loadExported(join(dir, 'few'));
    detector.dispose();
    const theirs = masker as unknown as Prompting;
    try {
      await expect(theirs.predict({ boxes: BOXES })).rejects.toThrow(/ExportedMasker\.predict: no image was set/);
      await theirs.setImage(image);
      // Padding takes part in attention: the answer is near the one without it, not equal.
      const ours = await original('sam');
      await ours.setImage(image);
      const one = { points: [[[64, 40]]], labels: [[1]] } as const;
      const [padded, plain] = [await theirs.predict(one), await ours.predict(one)];
      const scores = [padded, plain].map(([answer]) => answer?.masks[0]?.score as number) as [number, number];
      process.stderr.write(
        `one point in a graph for ${POINTS}: score ${scores[0].toFixed(3)}, without padding ${scores[1].toFixed(3)}\n`,
      );
      // Padding takes part in the attention as one more token, in transformers too: a little else comes out.
      expect(Math.abs(scores[0] - scores[1])).toBeLessThan(0.01);
      ours.dispose();
      const four = { points: [Array.from({ length: 4 }, () => [5, 5] as const)], labels: [[1, 1, 0, 0]] };
      await expect(theirs.predict(four)).rejects.toThrow(/exported for 3 points of a prompt, not 4\. Export it with --points 4/);
      await expect(theirs.predict({ ...one, multimask: true })).rejects.toThrow(
        /gives one mask a prompt: the choice is part of its graph/,
      );
      await expect(theirs.predict({})).rejects.toThrow(/there is none/);
      await expect(theirs.predict({ boxes: [[0, 0, 500, 5]] })).rejects.toThrow(/reaches out of the image/);
      const [
        {
          masks: [earlier],
        } = { masks: [] },
      ] = padded;
      await expect(theirs.predict({ masks: [earlier?.logits as never] })).rejects.toThrow(
        /an earlier mask only with a box or points/,
      );
    } finally {
      theirs.dispose();
    }
    const { masker: part } = await readManifest(join(dir, 'few'));
    expect(Object.keys(part?.signatures ?? {}).sort()).toEqual([
      'decode_boxes',
      'decode_points',
      'decode_points_and_boxes',
      'embed_masks',
      'serving_default',
    ]);
    expect(readFileSync(join(dir, 'few', 'masker', 'saved_model.pb')).length).toBeGreaterThan(0);
    expect(tf.getBackend()).toBe('tensorflow');
  });
});
