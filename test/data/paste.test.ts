import { describe, expect, it } from '@jest/globals';
import { type Dataset, PasteDataset, pasteObject, type Sample } from '../../src/data/index.js';
import type { BinaryMask, BoxXyxy } from '../../src/imaging/index.js';
import { Rng } from '../../src/util/index.js';

const SIDE = 48;

/** A grey image with brighter or darker rectangles, each an object. */
function sample(id: string, level: number, boxes: readonly BoxXyxy[], inside: number, side = SIDE): Sample {
  const data = new Uint8Array(side * side * 3).fill(level);
  const objects = boxes.map((box) => {
    const mask = rectangle(box, side);
    for (let i = 0; i < side * side; i++) if (mask.data[i]) data.fill(inside, 3 * i, 3 * i + 3);
    return { phrase: 'lesion', boxXyxyPx: box, mask };
  });
  return { id, dataset: 'toy', image: { width: side, height: side, data }, objects, phrases: ['lesion'] };
}

function rectangle([x0, y0, x1, y1]: BoxXyxy, side: number): BinaryMask {
  const data = new Uint8Array(side * side);
  for (let y = y0; y < y1; y++) data.fill(1, y * side + x0, y * side + x1);
  return { width: side, height: side, data };
}

function toy(samples: readonly Sample[]): Dataset {
  return { name: 'toy', size: samples.length, load: async (index) => samples[index] as Sample };
}

const grey = ({ image }: Sample, x: number, y: number) => image.data[3 * (y * image.width + x)] as number;
const meet = (a: BoxXyxy, b: BoxXyxy) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
const normal = sample('normal', 100, [], 0);
const donor = sample('donor', 100, [[10, 20, 22, 30]], 20);

describe('pasting an object into another image', () => {
  it('adds the object, with its phrase, mask and box, and leaves the image alone elsewhere', () => {
    const pasted = pasteObject(normal, donor, Rng.seeded(1));
    expect(pasted.objects).toHaveLength(1);
    const [{ boxXyxyPx, mask, phrase } = { boxXyxyPx: [0, 0, 0, 0], mask: rectangle([0, 0, 0, 0], 1), phrase: '' }] =
      pasted.objects;
    const [x0, y0, x1, y1] = boxXyxyPx;
    expect(phrase).toBe('lesion');
    expect([(x1 - x0) / 12, (y1 - y0) / 10].every((scale) => scale > 0.6 && scale < 1.45)).toBe(true);
    for (let y = 0; y < SIDE; y++)
      for (let x = 0; x < SIDE; x++) {
        if (mask.data[y * SIDE + x]) expect(grey(pasted, x, y)).toBeLessThan(70);
        if (x < x0 - 6 || x > x1 + 6 || y < y0 - 6 || y > y1 + 6) expect(grey(pasted, x, y)).toBe(100);
      }
    expect(normal.objects).toHaveLength(0);
    expect(normal.image.data.every((value) => value === 100)).toBe(true);
  });

  it('never covers an object of the image', () => {
    const shown = sample('shown', 100, [[4, 4, 28, 28]], 30);
    for (let seed = 0; seed < 30; seed++) {
      const { objects } = pasteObject(shown, donor, Rng.seeded(seed));
      const [own, added] = objects;
      expect(own).toEqual(shown.objects[0]);
      if (added !== undefined) expect(meet(own?.boxXyxyPx as BoxXyxy, added.boxXyxyPx)).toBe(false);
    }
  });

  it('leaves an image alone that has no room', () => {
    const full = sample('full', 100, [[0, 0, SIDE, SIDE]], 30);
    expect(pasteObject(full, donor, Rng.seeded(1))).toBe(full);
  });

  it('adapts the object to the brightness of its surroundings', () => {
    const dark = pasteObject(sample('dark', 60, [], 0), donor, Rng.seeded(1));
    const [{ mask } = { mask: rectangle([0, 0, 0, 0], 1) }] = dark.objects;
    const levels = [...mask.data.keys()].filter((i) => mask.data[i]).map((i) => dark.image.data[3 * i] as number);
    // 20 on 100 becomes 12 on 60; the interpolated rim is brighter.
    expect(Math.min(...levels)).toBeGreaterThan(9);
    expect(Math.min(...levels)).toBeLessThan(16);
  });

  it('fits the object to an image of another size', () => {
    const small = pasteObject(sample('small', 100, [], 0, 24), donor, Rng.seeded(1));
    const [x0, , x1] = small.objects[0]?.boxXyxyPx ?? [0, 0, 0, 0];
    expect((x1 - x0) / 6).toBeGreaterThan(0.5);
    expect((x1 - x0) / 6).toBeLessThan(1.6);
  });
});

describe('a dataset with pasted objects', () => {
  const normals = Array.from({ length: 40 }, (_, i) => sample(`${i}`, 100, [], 0));
  const samples = [...normals, ...Array.from({ length: 40 }, () => donor)];

  it('pastes into the requested fraction of images, the same at every reading', async () => {
    const load = async () => {
      const pasted = new PasteDataset(toy(samples), { chance: 0.5, seed: 7 });
      return Promise.all(normals.map((_, i) => pasted.load(i)));
    };
    const [first, second] = [await load(), await load()];
    const changed = first.filter(({ objects }) => objects.length > 0).length;
    expect(changed).toBeGreaterThan(10);
    expect(changed).toBeLessThan(30);
    expect(first).toEqual(second);
  });

  it('leaves images alone where no image shows anything', async () => {
    const pasted = new PasteDataset(toy(normals), { chance: 1, seed: 7 });
    expect(await pasted.load(0)).toBe(normals[0]);
  });

  it('keeps the names, phrases and sources of its images', () => {
    const whole = { ...toy(samples), phrases: ['lesion'], source: () => ({ id: 'a', files: ['a.png'], annotation: '' }) };
    const pasted = new PasteDataset(whole, { chance: 1, seed: 7 });
    expect([pasted.name, pasted.size, pasted.phrases, pasted.parts, pasted.source(0)?.files]).toEqual([
      'toy',
      80,
      ['lesion'],
      [whole],
      ['a.png'],
    ]);
  });
});
