import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { maskArea, type RasterImage } from '../../src/imaging/index.js';
import { type Detector, GroundedSegmenter, type Masker, type SegmentOptions } from '../../src/infer/index.js';
import { nanoModels, shippedModels } from '../../src/pretrained/index.js';
import type { Detection } from '../../src/processing/index.js';
import { CheckpointError, RuntimeError, UsageError } from '../../src/util/index.js';
import { useBackend } from '../support/backend.js';
import { growthOf } from '../support/memory.js';

useBackend();

let segmenter: GroundedSegmenter;
let images: RasterImage[];
beforeAll(async () => {
  segmenter = await GroundedSegmenter.load(nanoModels);
  const domain = phantomDomains['standard'] as PhantomDomain;
  const phantoms = new PhantomDataset({ size: 2, seed: 5, width: 96, height: 80, domain });
  images = await Promise.all([0, 1].map(async (i) => (await phantoms.load(i)).image));
});
afterAll(() => segmenter.dispose());

const image = (i = 0) => images[i % 2] as RasterImage;
const PROMPT = 'cyst. kidney. benign lesion.';
/** Low, so that every prompt is answered. */
const LOW = { threshold: 0.02 };

describe('GroundedSegmenter', () => {
  it('gives each thing a phrase, a box, a mask on the grid of the image, and two scores', async () => {
    const segments = await segmenter.segment(image(), PROMPT, LOW);
    expect(segments.length).toBeGreaterThan(0);
    for (const { phrase, score, boxXyxyPx, mask, maskScore } of segments) {
      expect(['cyst', 'kidney', 'benign lesion']).toContain(phrase);
      expect(boxXyxyPx.length).toBe(4);
      expect([mask.width, mask.height, mask.data.length]).toEqual([96, 80, 96 * 80]);
      expect(score).toBeGreaterThanOrEqual(0.02);
      expect(maskScore).toBeGreaterThan(0);
      expect(maskScore).toBeLessThanOrEqual(1);
    }
    expect(segments.some(({ mask }) => maskArea(mask) > 0)).toBe(true);
  });

  it('selects all, the best of each phrase, or the best of the image', async () => {
    const all = await segmenter.segment(image(), PROMPT, { ...LOW, nmsThreshold: 0.9 });
    const perPhrase = await segmenter.segment(image(), PROMPT, { ...LOW, select: 'best-per-phrase' });
    const best = await segmenter.segment(image(), PROMPT, { ...LOW, select: 'best-per-image' });
    const firsts = all.filter(({ phrase }, i) => all.findIndex((other) => other.phrase === phrase) === i);
    expect(all.length).toBeGreaterThan(firsts.length);
    expect(perPhrase.map(({ phrase, boxXyxyPx }) => [phrase, boxXyxyPx])).toEqual(
      firsts.map(({ phrase, boxXyxyPx }) => [phrase, boxXyxyPx]),
    );
    // TensorFlow's sigmoid rounds the last bit by where a number stands among others, so of the mask score it may differ.
    const but = (segments: typeof all) => segments.map(({ maskScore: _maskScore, ...rest }) => rest);
    expect(but(best)).toEqual(but(perPhrase.slice(0, 1)));
    expect(best[0]?.maskScore).toBeCloseTo(perPhrase[0]?.maskScore as number, 6);
    expect(await segmenter.segment(image(), PROMPT, { threshold: 1 })).toEqual([]);
  });

  it.each<[string, SegmentOptions | undefined, string, RegExp]>([
    ['an empty prompt', {}, ' . ', /prompt: it is empty/],
    [
      'an unknown selection',
      { select: 'first' as 'all' },
      PROMPT,
      /select: expected all, best-per-phrase, best-per-image, got first/,
    ],
    ['an unknown option', { scoreThreshold: 0.1 } as SegmentOptions, PROMPT, /scoreThreshold: .*did you mean threshold/],
    ['a threshold above 1', { threshold: 30 }, PROMPT, /threshold: expected a number from 0 to 1, got 30/],
    ['a non-numeric threshold', { threshold: Number.NaN }, PROMPT, /got NaN/],
    ['a negative overlap', { nmsThreshold: -1 }, PROMPT, /nmsThreshold: expected a number from 0 to 1, got -1/],
  ])('refuses %s', async (_name, options, prompt, message) => {
    await expect(segmenter.segment(image(), prompt, options)).rejects.toThrow(message);
    await expect(segmenter.segment(image(), prompt, options)).rejects.toThrow(UsageError);
  });

  it('takes any detector and any masker, and asks the masker only when there are boxes', async () => {
    const asked: string[] = [];
    const detector: Detector = {
      detect: async (_image, phrases) =>
        phrases.flatMap((phrase): Detection[] => (phrase === 'nothing' ? [] : [{ phrase, score: 0.5, boxXyxyPx: [1, 2, 3, 4] }])),
      dispose: () => void asked.push('detector'),
    };
    const masker: Masker = {
      setImage: async ({ width }) => void asked.push(`image ${width}`),
      predictBoxes: async (boxes) => boxes.map(() => ({ mask: { width: 1, height: 1, data: Uint8Array.of(1) }, score: 0.25 })),
      dispose: () => void asked.push('masker'),
    };
    const own = new GroundedSegmenter(detector, masker);
    expect(await own.segment(image(), ['nothing'])).toEqual([]);
    expect(asked).toEqual([]);
    expect(await own.segment(image(), ['one thing'])).toEqual([
      {
        phrase: 'one thing',
        score: 0.5,
        boxXyxyPx: [1, 2, 3, 4],
        mask: { width: 1, height: 1, data: Uint8Array.of(1) },
        maskScore: 0.25,
      },
    ]);
    own.dispose();
    own.dispose();
    expect(asked).toEqual(['image 96', 'detector', 'masker']);
    await expect(own.segment(image(), ['one thing'])).rejects.toThrow(RuntimeError);
  });

  it('finds the same boxes without a masker, and no masks', async () => {
    const boxes = await GroundedSegmenter.load({ detector: nanoModels.detector, masker: null });
    const found = await boxes.segment(image(), PROMPT, LOW);
    const whole = await segmenter.segment(image(), PROMPT, LOW);
    expect(found).toEqual(whole.map(({ phrase, score, boxXyxyPx }) => ({ phrase, score, boxXyxyPx })));
    expect(found[0]?.mask).toBeUndefined();
    boxes.dispose();
  });

  it('frees the detector when the masker cannot be read', async () => {
    const before = tf.memory().numTensors;
    await expect(GroundedSegmenter.load({ masker: './no-such-folder' })).rejects.toThrow(CheckpointError);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('finds the shipped models from any folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'elsewhere-'));
    const program = `
      import { GroundedSegmenter, initBackend } from ${JSON.stringify(resolve('dist/index.js'))};
      await initBackend();
      const segmenter = await GroundedSegmenter.load();
      const named = await GroundedSegmenter.load({ detector: '${shippedModels.detector}', masker: '${shippedModels.masker}' });
      const image = { width: 40, height: 30, data: new Uint8Array(3600).map((_, i) => i % 251) };
      const found = await segmenter.segment(image, 'cyst', { threshold: 0, select: 'best-per-image' });
      console.log(found.length, found[0].mask.data.length, (await named.segment(image, 'cyst', { threshold: 1 })).length);
    `;
    const answer = execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd: folder, encoding: 'utf8' });
    await rm(folder, { recursive: true });
    expect(answer.trim().split('\n').at(-1)).toBe('1 1200 0');
  });

  it('holds no more tensors and no more memory after 50 calls than after a few', async () => {
    const call = (i: number) => segmenter.segment(image(i), i % 3 === 0 ? PROMPT : 'cyst', LOW);
    const { tensors, megabytes } = await growthOf(call, { warmUp: 20, calls: 50 });
    expect(tensors).toBe(0);
    // An image's features alone are 0.3 MB in each model; keeping them would make 30 MB.
    expect(megabytes).toBeLessThan(20);
  });
});
