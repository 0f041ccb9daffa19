import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  type Augmentations,
  augment,
  PhantomDataset,
  type PhantomDomain,
  phantomDomains,
  type Sample,
} from '../../src/data/index.js';
import { boxOfMask, maskArea } from '../../src/imaging/index.js';
import { Rng } from '../../src/util/index.js';

const phantoms = new PhantomDataset({
  size: 6,
  seed: 8,
  width: 61,
  height: 47,
  domain: phantomDomains['standard'] as PhantomDomain,
});
const RUNS = 8;

async function runs(wanted: Augmentations): Promise<{ before: Sample; after: Sample }[]> {
  const samples = await Promise.all(Array.from({ length: phantoms.size }, (_, i) => phantoms.load(i)));
  return samples.flatMap((before, i) =>
    Array.from({ length: RUNS }, (_, k) => ({ before, after: augment(before, wanted, Rng.seeded(i, k)) })),
  );
}

const digest = (results: readonly { after: Sample }[]) => {
  const hash = createHash('sha256');
  for (const { after } of results) {
    hash.update(JSON.stringify([after.phrases, after.objects.map(({ boxXyxyPx }) => boxXyxyPx)])).update(after.image.data);
    for (const { mask } of after.objects) hash.update(mask.data);
  }
  return hash.digest('hex');
};

const GEOMETRY: [string, Augmentations][] = [
  ['flip', { flip: 0.5 }],
  ['resize', { resize: [0.6, 1.5] }],
  ['crop', { crop: { chance: 1, smallest: 0.2 } }],
  ['pad', { pad: { chance: 1, most: 0.3 } }],
  ['rotate', { rotate: { chance: 1, most: 20 } }],
  ['shear', { shear: { chance: 1, most: 0.3 } }],
  ['stretch', { stretch: { chance: 1, factor: [0.7, 1.4] } }],
  ['zoom', { zoom: { chance: 1, factor: [0.7, 2] } }],
  ['shift', { shift: { chance: 1, most: 0.2 } }],
];
const LOOKS: [string, Augmentations][] = [
  ['erase', { erase: { chance: 1, area: [0.05, 0.2] } }],
  ['gain', { gain: [0.5, 1.5] }],
  ['speckle', { speckle: 0.3 }],
  ['blur', { blur: 3 }],
  ['several erased, filled from the image', { erase: { chance: 1, area: [0.005, 0.03], most: 4, fill: 'own', hide: 0.5 } }],
  ['resolution', { resolution: { chance: 1, smallest: 0.3 } }],
  ['soften', { soften: { chance: 1, most: 2 } }],
  ['dynamic range', { dynamicRange: { chance: 1, factor: [0.6, 1.4] } }],
  ['gamma', { gamma: { chance: 1, exponent: [0.6, 1.6] } }],
  ['attenuation', { attenuation: { chance: 1, slope: 10, bands: 2 } }],
  ['shadow', { shadow: { chance: 1, most: 3, factor: [0.2, 0.7] } }],
  ['enhancement', { enhancement: { chance: 1, most: 2, factor: [1.2, 1.8] } }],
  ['grained speckle', { speckle: { most: 0.3, grain: [2, 4] } }],
];
const ALL = Object.assign({}, ...[...GEOMETRY, ...LOOKS].map(([, wanted]) => wanted)) as Augmentations;

describe.each([...GEOMETRY, ...LOOKS, ['all at once', ALL] as [string, Augmentations]])('%s', (_, wanted) => {
  it('does something, the same for the same seed, and loses no object; boxes are those of the masks', async () => {
    const [first, again] = [await runs(wanted), await runs(wanted)];
    expect(digest(again)).toBe(digest(first));
    expect(first.some(({ before, after }) => !Buffer.from(after.image.data).equals(Buffer.from(before.image.data)))).toBe(true);
    for (const { before, after } of first) {
      const { width, height, data } = after.image;
      expect(data).toHaveLength(3 * width * height);
      expect(after.objects).toHaveLength(before.objects.length);
      for (const { mask, boxXyxyPx } of after.objects) {
        expect([mask.width, mask.height]).toEqual([width, height]);
        expect(boxOfMask(mask)).toEqual(boxXyxyPx);
      }
    }
  });
});

describe('geometry', () => {
  it.each([GEOMETRY[0], GEOMETRY[2], GEOMETRY[3]] as [string, Augmentations][])(
    'keeps the whole of each object: %s',
    async (_, wanted) => {
      for (const { before, after } of await runs(wanted))
        expect(after.objects.map(({ mask }) => maskArea(mask))).toEqual(before.objects.map(({ mask }) => maskArea(mask)));
    },
  );

  it('moves boxes as masks, to a pixel', async () => {
    for (const { before, after } of await runs({ resize: [0.6, 1.5] })) {
      const [sx, sy] = [after.image.width / before.image.width, after.image.height / before.image.height];
      for (const [k, { boxXyxyPx }] of after.objects.entries()) {
        const [x0, y0, x1, y1] = before.objects[k]?.boxXyxyPx ?? [0, 0, 0, 0];
        const wanted = [x0 * sx, y0 * sy, x1 * sx, y1 * sy];
        for (const [i, side] of boxXyxyPx.entries()) expect(Math.abs(side - (wanted[i] as number))).toBeLessThanOrEqual(1);
      }
    }
  });

  it('keeps an object that is shrunk to nothing as one pixel', () => {
    const data = new Uint8Array(400);
    data[21] = 1;
    const sample: Sample = {
      id: 'a',
      dataset: 'test',
      image: { width: 20, height: 20, data: new Uint8Array(1200) },
      objects: [{ phrase: 'cyst', boxXyxyPx: [1, 1, 2, 2], mask: { width: 20, height: 20, data } }],
      phrases: ['cyst'],
    };
    const { objects } = augment(sample, { resize: [0.2, 0.2] }, Rng.seeded(1));
    expect(objects).toMatchObject([{ boxXyxyPx: [0, 0, 1, 1] }]);
  });
});

describe('looks', () => {
  it.each(LOOKS)('leave masks and boxes alone: %s', async (_, wanted) => {
    for (const { before, after } of await runs(wanted)) expect(after.objects).toBe(before.objects);
  });

  it('a blur changes the bottom more than the top', async () => {
    let [top, bottom] = [0, 0];
    for (const { before, after } of await runs({ blur: 3 })) {
      const half = Math.floor(before.image.height / 4) * before.image.width * 3;
      const change = (from: number, to: number) =>
        after.image.data
          .slice(from, to)
          .reduce((sum, value, i) => sum + Math.abs(value - (before.image.data[from + i] as number)), 0);
      top += change(0, half);
      bottom += change(before.image.data.length - half, before.image.data.length);
    }
    expect(bottom).toBeGreaterThan(top);
  });
});
