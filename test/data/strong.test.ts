import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  type Augmentations,
  type AugmentChoice,
  augment,
  PhantomDataset,
  type PhantomDomain,
  phantomDomains,
  type Sample,
} from '../../src/data/index.js';
import { type BoxXyxy, boxOfMask, maskArea, type RasterImage } from '../../src/imaging/index.js';
import { Rng } from '../../src/util/index.js';

const [width, height] = [90, 70];

/** A grey image of one level at each place, with one rectangular object. */
function sampleOf(level: (x: number, y: number) => number, [x0, y0, x1, y1]: BoxXyxy = [20, 12, 50, 30]): Sample {
  const [data, mask] = [new Uint8Array(width * height * 3), new Uint8Array(width * height)];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) data.fill(level(x, y), 3 * (y * width + x), 3 * (y * width + x) + 3);
  for (let y = y0; y < y1; y++) mask.fill(1, y * width + x0, y * width + x1);
  return {
    id: 'a',
    dataset: 'test',
    image: { width, height, data },
    objects: [{ phrase: 'left lobe', boxXyxyPx: [x0, y0, x1, y1], mask: { width, height, data: mask } }],
    phrases: ['left lobe'],
  };
}

const flat = (level: number) => sampleOf(() => level);
const draws = (sample: Sample, wanted: AugmentChoice, count = 40) =>
  Array.from({ length: count }, (_, i) => augment(sample, wanted, Rng.seeded(i)));
const grey = ({ data }: RasterImage) => Float64Array.from({ length: data.length / 3 }, (_, i) => data[3 * i] as number);
const mean = (values: Float64Array) => values.reduce((a, b) => a + b, 0) / values.length;
const std = (values: Float64Array) => Math.sqrt(mean(values.map((v) => v * v)) - mean(values) ** 2);
const rowMeans = (image: RasterImage) =>
  ((levels: Float64Array) =>
    Array.from({ length: image.height }, (_, y) => mean(levels.slice(y * image.width, (y + 1) * image.width))))(grey(image));

async function digest(preset: AugmentChoice): Promise<string> {
  const domain = phantomDomains['standard'] as PhantomDomain;
  const phantoms = new PhantomDataset({ size: 6, seed: 8, width: 61, height: 47, domain });
  const hash = createHash('sha256');
  for (let i = 0; i < 6; i++) {
    for (let k = 0; k < 20; k++) {
      const { image, objects, phrases } = augment(await phantoms.load(i), preset, Rng.seeded(i, k));
      hash.update(JSON.stringify([phrases, objects.map(({ boxXyxyPx }) => boxXyxyPx)])).update(image.data);
      for (const { mask } of objects) hash.update(mask.data);
    }
  }
  return hash.digest('hex').slice(0, 16);
}

describe('earlier presets', () => {
  // Digests made before `strong` came, with the resampling that was replaced for it.
  it.each([
    ['paper', 'f3d5bdb1d9bc70f8'],
    ['ultrasound', '0acc02f29e80014f'],
  ] as const)('%s gives the recorded bytes', async (preset, wanted) => {
    expect(await digest(preset)).toBe(wanted);
  });
});

describe('strong', () => {
  const bright = sampleOf((x, y) => (x >= 20 && x < 50 && y >= 12 && y < 30 ? 200 : 40));

  it('is the same for the same seed and another for another', () => {
    const [first, again] = [draws(bright, 'strong', 8), draws(bright, 'strong', 8)];
    expect(again).toEqual(first);
    expect(new Set(first.map(({ image }) => Buffer.from(image.data).toString('base64'))).size).toBe(8);
  });

  it('moves masks as images and words as sides, and keeps what it says of each object', () => {
    for (const { image, objects, phrases } of draws(bright, 'strong', 80)) {
      const [object] = objects;
      if (object === undefined) throw new Error('an object was lost');
      expect(boxOfMask(object.mask)).toEqual(object.boxXyxyPx);
      expect(object.phrase).toBe(phrases[0]);
      const levels = grey(image);
      // Brightness is changed at random, but what is inside stays the brighter part.
      const inside = mean(levels.filter((_, i) => object.mask.data[i] === 1));
      const around = mean(levels.filter((_, i) => object.mask.data[i] === 0));
      expect(inside).toBeGreaterThan(around * 1.5);
    }
  });

  it('keeps a coloured image coloured', () => {
    const { image } = bright;
    const coloured = { ...bright, image: { ...image, data: image.data.map((v, i) => (i % 3 === 0 ? v : v >> 1)) } };
    for (const { image: after } of draws(coloured, 'strong', 5)) {
      const red = mean(grey(after));
      expect(red).toBeGreaterThan(
        1.2 * mean(Float64Array.from({ length: after.data.length / 3 }, (_, i) => after.data[3 * i + 1] as number)),
      );
    }
  });
});

describe('moves', () => {
  const inBox = sampleOf((x, y) => (x >= 20 && x < 50 && y >= 12 && y < 30 ? 255 : 0));
  const one = (wanted: Augmentations) => augment(inBox, wanted, Rng.seeded(3));
  const areas = (wanted: Augmentations) =>
    draws(inBox, wanted).map(({ objects }) => maskArea(objects[0]?.mask ?? { width, height, data: new Uint8Array(0) }));

  it.each([
    { rotate: { chance: 1, most: 30 } },
    { shear: { chance: 1, most: 0.4 } },
    { stretch: { chance: 1, factor: [0.6, 1.6] } },
    { zoom: { chance: 1, factor: [0.6, 2] } },
    { shift: { chance: 1, most: 0.2 } },
    {
      flip: 1,
      rotate: { chance: 1, most: 30 },
      zoom: { chance: 1, factor: [0.6, 2] },
      resize: [0.7, 1.4],
      crop: { chance: 1, smallest: 0.5 },
    },
  ] as Augmentations[])('move mask and image alike: %j', (wanted) => {
    for (const { image, objects } of draws(inBox, wanted)) {
      const mask = objects[0]?.mask.data ?? new Uint8Array(0);
      const differing = grey(image).filter((v, i) => Number(v > 127) !== mask[i]).length;
      // Bilinear and nearest differ by less than a pixel along an outline of about 100 pixels, enlarged twice by 1.4 at most.
      expect(differing / mask.length).toBeLessThan(0.025);
    }
  });

  it('rotate turns by the angle', () => {
    const middle = sampleOf(() => 0, [10, 33, 80, 37]);
    const { mask } = augment(middle, { rotate: { chance: 1, most: 20 } }, Rng.seeded(5)).objects[0] ?? {};
    const [x0, y0, x1, y1] = (mask && boxOfMask(mask)) ?? [0, 0, 0, 0];
    // A bar of 70 by 4 that is turned spans 70 cos + 4 sin by 70 sin + 4 cos.
    const angle = Math.asin((y1 - y0 - 4) / 70);
    expect(Math.abs(angle)).toBeGreaterThan(0.02);
    expect(angle).toBeLessThan((22 * Math.PI) / 180);
    expect(Math.abs(x1 - x0 - (70 * Math.cos(angle) + 4 * Math.sin(angle)))).toBeLessThan(3);
  });

  it('stretch and shear keep the area, zoom multiplies it by the square of its factor', () => {
    for (const wanted of [
      { stretch: { chance: 1, factor: [0.8, 1.25] } },
      { shear: { chance: 1, most: 0.2 } },
    ] as Augmentations[])
      for (const area of areas({ ...wanted, keep: 1 })) expect(Math.abs(area / 540 - 1)).toBeLessThan(0.08);
    for (const area of areas({ zoom: { chance: 1, factor: [1.5, 1.5] }, keep: 1 }))
      expect([1, 2.25].some((times) => Math.abs(area / 540 / times - 1) < 0.08)).toBe(true);
  });

  it('zoom may cut an object, and leaves the wanted share of it', () => {
    const zoom = { chance: 1, factor: [2, 2] } as const;
    const most = 4 * 540;
    const shares = areas({ zoom, keep: 0.6 }).map((area) => (area === 540 ? 1 : area / most));
    expect(Math.min(...shares)).toBeGreaterThan(0.57); // whole pixels
    expect(shares.filter((share) => share < 0.95).length).toBeGreaterThan(3);
    expect(Math.min(...areas({ zoom, keep: 1 }).map((area) => (area === 540 ? 1 : area / most)))).toBeGreaterThan(0.97);
  });

  it('do nothing where they do not happen', () => {
    expect(
      one({ rotate: { chance: 0, most: 20 }, zoom: { chance: 0, factor: [1, 2] }, shift: { chance: 0, most: 0.5 } }),
    ).toEqual(inBox);
  });
});

describe('looks', () => {
  it('attenuation is a straight line in dB of at most the slope, the middle staying', () => {
    const slopes = draws(flat(100), { attenuation: { chance: 1, slope: 8, bands: 0 } }).map(({ image }) => {
      const rows = rowMeans(image);
      expect(Math.abs((rows[35] as number) - 100)).toBeLessThan(2);
      const decibel = (from: number, to: number) => 20 * Math.log10((rows[to] as number) / (rows[from] as number));
      expect(Math.abs(decibel(0, 34) - decibel(35, 69))).toBeLessThan(0.25); // grey levels are whole: 0.5 of 63 is 0.07 dB
      return decibel(0, 69);
    });
    expect(Math.max(...slopes.map(Math.abs))).toBeLessThan(8.2);
    expect(Math.min(...slopes)).toBeLessThan(-4);
    expect(Math.max(...slopes)).toBeGreaterThan(4);
  });

  it('the sliders of attenuation stay in their range', () => {
    for (const { image } of draws(flat(100), { attenuation: { chance: 1, slope: 0, bands: 3 } })) {
      const decibel = rowMeans(image).map((row) => 20 * Math.log10(row / 100));
      expect(Math.max(...decibel.map(Math.abs))).toBeLessThan(3.1);
      expect(Math.max(...decibel) - Math.min(...decibel)).toBeGreaterThan(0.5);
    }
  });

  it('gamma raises to the power', () => {
    const ramp = sampleOf((x) => 2 * x);
    const { image } = augment(ramp, { gamma: { chance: 1, exponent: [1.5, 1.5] } }, Rng.seeded(1));
    for (let x = 0; x < width; x++) expect(image.data[3 * x]).toBe(Math.round(255 * ((2 * x) / 255) ** 1.5));
  });

  it('a smaller dynamic range blackens the weak echoes, another one leaves black and white', () => {
    const ramp = sampleOf((x) => Math.min(255, 3 * x));
    const half = augment(ramp, { dynamicRange: { chance: 1, factor: [0.5, 0.5] } }, Rng.seeded(1)).image.data;
    for (let x = 0; x < 86; x++) expect(half[3 * x]).toBe(Math.max(0, Math.round(2 * 3 * x - 255)));
    const wide = augment(ramp, { dynamicRange: { chance: 1, factor: [1.5, 1.5] } }, Rng.seeded(1)).image.data;
    expect([wide[0], wide[3 * 85]]).toEqual([0, 255]);
    for (let x = 22; x < 86; x++) expect(wide[3 * x]).toBe(Math.round(255 - (255 - 3 * x) / 1.5));
    for (let x = 1; x < 86; x++) expect(wide[3 * x] as number).toBeGreaterThanOrEqual(wide[3 * (x - 1)] as number);
  });

  it.each([
    ['shadow', { shadow: { chance: 1, most: 1, factor: [0.4, 0.4] } }, 40],
    ['enhancement', { enhancement: { chance: 1, most: 1, factor: [1.8, 1.8] } }, 180],
  ] as [string, Augmentations, number][])('%s reaches from its depth to the bottom, with soft edges', (_, wanted, level) => {
    for (const { image } of draws(flat(100), wanted)) {
      const changed = rowMeans(image).map((row) => Math.abs(row - 100) > 0.05);
      const first = changed.indexOf(true);
      if (first === -1) continue; // it went out sideways
      expect(first).toBeGreaterThan(2); // it begins below the probe
      const levels = grey(image);
      expect(Math.min(...levels)).toBeGreaterThanOrEqual(Math.min(100, level));
      expect(Math.max(...levels)).toBeLessThanOrEqual(Math.max(100, level));
      expect(mean(levels.slice(0, first * width))).toBeCloseTo(100, 0);
    }
    const strongest = draws(flat(100), wanted).map(({ image }) => Math.max(...grey(image).map((v) => Math.abs(v - 100))));
    expect(Math.max(...strongest)).toBeGreaterThan(0.9 * Math.abs(level - 100));
  });

  it('speckle has the wanted deviation whatever its grain, and neighbours are alike in a coarse one only', () => {
    const spread = (grain: number) => {
      const images = draws(flat(100), { speckle: { most: 0.4, grain: [grain, grain] } }, 60).map(({ image }) => grey(image));
      const alike = images.map((v) => {
        const middle = mean(v);
        return mean(v.slice(1).map((next, i) => (next - middle) * ((v[i] as number) - middle))) / std(v) ** 2;
      });
      return { deviation: mean(Float64Array.from(images.map((v) => std(v) / 100))), alike: mean(Float64Array.from(alike)) };
    };
    const [white, coarse] = [spread(1), spread(4)];
    // Uniform between 0 and 0.4: 0.2 on average, with 60 draws to 0.015.
    expect(Math.abs(white.deviation - 0.2)).toBeLessThan(0.04);
    expect(Math.abs(coarse.deviation - white.deviation)).toBeLessThan(0.03);
    expect(Math.abs(white.alike)).toBeLessThan(0.05);
    expect(coarse.alike).toBeGreaterThan(0.7);
  });

  it('resolution and soften keep the mean and take the detail away', () => {
    const stripes = sampleOf((x, y) => 60 + 80 * ((x + y) % 2));
    for (const wanted of [{ resolution: { chance: 1, smallest: 0.3 } }, { soften: { chance: 1, most: 3 } }] as Augmentations[]) {
      const after = draws(stripes, wanted).map(({ image }) => grey(image));
      for (const levels of after) expect(Math.abs(mean(levels) - 100)).toBeLessThan(2);
      expect(Math.min(...after.map(std))).toBeLessThan(8); // of 40
    }
  });

  it('rectangles filled from the image have its mean, are as many as allowed, and do not hide an object', () => {
    const noisy = sampleOf((x, y) => 90 + ((x * 7 + y * 13) % 21));
    const erase = { chance: 1, area: [0.01, 0.03], most: 4, fill: 'own', hide: 0.2 } as const;
    const [box, share] = [[20, 12, 50, 30] as const, [] as number[]];
    for (const { image } of draws(noisy, { erase })) {
      const changed = grey(image).map((v, i) => Number(v !== (noisy.image.data[3 * i] as number)));
      share.push(mean(changed));
      const inBox = changed.filter(
        (_, i) => i % width >= box[0] && i % width < box[2] && i >= box[1] * width && i < box[3] * width,
      );
      expect(mean(inBox)).toBeLessThanOrEqual(4 * 0.2);
      const filled = grey(image).filter((_, i) => changed[i] === 1);
      if (filled.length > 30) expect(Math.abs(mean(filled) - 100)).toBeLessThan(5);
    }
    expect(Math.max(...share)).toBeGreaterThan(0.04);
    expect(Math.max(...share)).toBeLessThanOrEqual(4 * 0.035);
  });
});
