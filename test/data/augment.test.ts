import { describe, expect, it } from '@jest/globals';
import { augment, type Sample } from '../../src/data/index.js';
import { boxOfMask, maskArea } from '../../src/imaging/index.js';
import { Rng } from '../../src/util/index.js';

const [width, height] = [70, 50];

/** White where the mask is, black elsewhere: a lopsided shape, so that a mask moved otherwise than its image shows. */
function lopsided(): Sample {
  const inside = (x: number, y: number) => x >= 12 && x < 38 && y >= 8 && y < 40 && (x < 24 || y < 20);
  const data = Uint8Array.from({ length: width * height }, (_, i) => Number(inside(i % width, Math.floor(i / width))));
  const mask = { width, height, data };
  const image = {
    width,
    height,
    data: Uint8Array.from({ length: data.length * 3 }, (_, i) => 255 * (data[Math.floor(i / 3)] ?? 0)),
  };
  const box = boxOfMask(mask);
  if (box === undefined) throw new Error('empty');
  return {
    id: 'a',
    dataset: 'test',
    image,
    objects: [{ phrase: 'left lobe', boxXyxyPx: box, mask }],
    phrases: ['left lobe', 'right kidney', 'cyst'],
  };
}

/** Share of pixels where image and mask say the same. */
function agreement({ image, objects }: Sample): number {
  const mask = objects[0]?.mask.data ?? new Uint8Array(width * height);
  const same = mask.reduce((sum, value, i) => sum + Number(value === Number((image.data[3 * i] as number) > 100)), 0);
  return same / mask.length;
}

const runs = (preset: 'paper' | 'ultrasound') => Array.from({ length: 60 }, (_, i) => augment(lopsided(), preset, Rng.seeded(i)));

describe('augment', () => {
  it('gives the sample itself when nothing is to be done', () => {
    const sample = lopsided();
    expect(augment(sample, 'none', Rng.seeded(1))).toBe(sample);
  });

  it('moves a mask as its image', () => {
    // Nearest against bilinear differ by half a pixel along a border of about 130 pixels: 2% of the image.
    for (const sample of runs('ultrasound')) if (sample.objects.length > 0) expect(agreement(sample)).toBeGreaterThan(0.96);
    // Every second image of `paper` loses up to 15% to a random rectangle.
    const shares = runs('paper')
      .filter(({ objects }) => objects.length > 0)
      .map(agreement)
      .sort((a, b) => b - a);
    expect(shares[Math.floor(shares.length * 0.35)]).toBeGreaterThan(0.96);
    expect(shares.at(-1)).toBeGreaterThan(0.8);
  });

  it.each(['paper', 'ultrasound'] as const)('mirrors left and right in words when it mirrors the image (%s)', (preset) => {
    const results = runs(preset);
    const mirrored = results.filter(({ phrases }) => phrases[0] === 'right lobe');
    expect(mirrored.length).toBeGreaterThan(15);
    expect(mirrored.length).toBeLessThan(45);
    for (const { phrases, objects } of results) {
      const swapped = phrases[0] === 'right lobe';
      expect(phrases).toEqual(swapped ? ['right lobe', 'left kidney', 'cyst'] : ['left lobe', 'right kidney', 'cyst']);
      for (const { phrase } of objects) expect(phrase).toBe(phrases[0]);
    }
    // The lower arm is on the left of the shape, and on its right once mirrored.
    for (const { phrases, objects } of results) {
      const [object] = objects;
      if (object === undefined || maskArea(object.mask) < 300) continue;
      const { mask, boxXyxyPx } = object;
      const [x0, y0, x1, y1] = boxXyxyPx;
      const low = Math.round(y0 + 0.8 * (y1 - y0));
      const columns = Array.from({ length: width }, (_, x) => x).filter((x) => mask.data[low * width + x] === 1);
      const middle = columns.reduce((a, b) => a + b, 0) / columns.length;
      // Cut off at a border, a shape may have lost the arm that tells.
      if (x0 === 0 || x1 === width || y1 === height) continue;
      expect(middle > (x0 + x1) / 2).toBe(phrases[0] === 'right lobe');
    }
  });

  it.each(['paper', 'ultrasound'] as const)('keeps every object, wherever it lies (%s)', (preset) => {
    const start = lopsided();
    const object = (phrase: string, left: number, top: number, side: number) => {
      const data = new Uint8Array(width * height);
      for (let y = top; y < top + side; y++) data.fill(1, y * width + left, y * width + left + side);
      return { phrase, boxXyxyPx: [left, top, left + side, top + side] as const, mask: { width, height, data } };
    };
    const corners = [object('cyst', 0, 0, 4), object('speck', 69, 49, 1)];
    for (const objects of [corners, corners.slice(0, 1), corners.slice(1), [{ ...start.objects[0], phrase: 'lobe' }]]) {
      const phrases = objects.map(({ phrase }) => phrase);
      for (let i = 0; i < 60; i++) {
        const moved = augment({ ...start, objects: objects as Sample['objects'], phrases }, preset, Rng.seeded(i));
        expect(moved.objects.map(({ phrase }) => phrase)).toEqual(phrases);
        for (const { mask, boxXyxyPx } of moved.objects) expect(boxOfMask(mask)).toEqual(boxXyxyPx);
      }
    }
  });

  it('keeps objects whole where the paper crops', () => {
    const size = ([x0, y0, x1, y1]: readonly [number, number, number, number]) => [x1 - x0, y1 - y0] as const;
    const whole = runs('paper').map(({ objects }) => size(objects[0]?.boxXyxyPx ?? [0, 0, 0, 0]));
    // 26 wide and 32 high before; one factor for both sides, to a pixel.
    for (const [w, h] of whole) expect(Math.abs(w - (h * 26) / 32)).toBeLessThan(2);
    expect(Math.max(...whole.map(([w]) => w))).toBeGreaterThan(30);
  });
});
