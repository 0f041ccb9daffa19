import { describe, expect, it } from '@jest/globals';
import { BackgroundDataset, cutBackground, type Dataset, type Sample } from '../../src/data/index.js';
import type { BoxXyxy } from '../../src/imaging/index.js';
import { Rng } from '../../src/util/index.js';

const [WIDTH, HEIGHT] = [60, 40];

/** Pixels of objects are 255; all others say where they are: x in red, y in green. */
function sample(id: string, boxes: readonly BoxXyxy[]): Sample {
  const data = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let i = 0; i < WIDTH * HEIGHT; i++) data.set([i % WIDTH, Math.floor(i / WIDTH), 0], 3 * i);
  const objects = boxes.map((box) => {
    const mask = { width: WIDTH, height: HEIGHT, data: new Uint8Array(WIDTH * HEIGHT) };
    for (let y = box[1]; y < box[3]; y++)
      for (let x = box[0]; x < box[2]; x++) {
        mask.data[y * WIDTH + x] = 1;
        data.fill(255, 3 * (y * WIDTH + x), 3 * (y * WIDTH + x) + 3);
      }
    return { phrase: 'lesion', boxXyxyPx: box, mask };
  });
  return { id, dataset: 'toy', image: { width: WIDTH, height: HEIGHT, data }, objects, phrases: ['lesion'] };
}

const toy = (samples: readonly Sample[]): Dataset => ({
  name: 'toy',
  size: samples.length,
  load: async (index) => samples[index] as Sample,
});

const shown = sample('shown', [[4, 4, 20, 18]]);

describe('cutting an image to its background', () => {
  it('shows a part of the image without any object, and keeps the phrases as negatives', () => {
    let cuts = 0;
    for (let seed = 0; seed < 50; seed++) {
      const cut = cutBackground(shown, Rng.seeded(seed));
      if (cut === shown) continue;
      cuts++;
      const { width, height, data } = cut.image;
      expect([cut.objects, cut.phrases, cut.id]).toEqual([[], ['lesion'], 'shown']);
      expect([width / WIDTH, height / HEIGHT].every((share) => share >= 0.35 && share <= 0.95)).toBe(true);
      const [left, top] = [data[0] as number, data[1] as number];
      const expected = Array.from({ length: width * height }, (_, i) => [left + (i % width), top + Math.floor(i / width), 0]);
      expect([...data]).toEqual(expected.flat()); // no pixel of an object, which is 255
    }
    expect(cuts).toBeGreaterThan(40);
  });

  it('leaves an image alone that shows nothing, or whose objects leave no room', () => {
    const [nothing, full] = [sample('nothing', []), sample('full', [[10, 5, 50, 35]])];
    for (let seed = 0; seed < 20; seed++) {
      expect(cutBackground(nothing, Rng.seeded(seed))).toBe(nothing);
      expect(cutBackground(full, Rng.seeded(seed))).toBe(full);
    }
  });
});

describe('a dataset of which some images are cut to their background', () => {
  const samples = Array.from({ length: 80 }, () => shown);

  it('cuts the requested fraction, the same at every reading', async () => {
    const load = () => {
      const cut = new BackgroundDataset(toy(samples), { chance: 0.5, seed: 7 });
      return Promise.all(samples.map((_, i) => cut.load(i)));
    };
    const [first, second] = [await load(), await load()];
    const changed = first.filter(({ objects }) => objects.length === 0).length;
    expect(changed).toBeGreaterThan(25);
    expect(changed).toBeLessThan(55);
    expect(first).toEqual(second);
  });

  it('keeps the names, phrases and sources of its images', () => {
    const whole = { ...toy(samples), phrases: ['lesion'], source: () => ({ id: 'a', files: ['a.png'], annotation: '' }) };
    const cut = new BackgroundDataset(whole, { chance: 1, seed: 7 });
    expect([cut.name, cut.size, cut.phrases, cut.parts, cut.source(0)?.files]).toEqual([
      'toy',
      80,
      ['lesion'],
      [whole],
      ['a.png'],
    ]);
  });
});
