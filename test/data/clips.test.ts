import { describe, expect, it } from '@jest/globals';
import {
  augment,
  ClipDataset,
  type Dataset,
  PhantomClipDataset,
  type PhantomDomain,
  phantomDomains,
  type Sample,
  sequencesIn,
} from '../../src/data/index.js';
import { boxOfMask } from '../../src/imaging/index.js';
import { Rng } from '../../src/util/index.js';
import { expectError } from '../support/expect-error.js';

const [WIDTH, HEIGHT] = [32, 24];

/** Its brightness is its number; its object, whose two pieces have one phrase, moves right with it. */
function numbered(id: string, group: string | undefined, number: number, width = WIDTH): Sample {
  const piece = (x: number) => {
    const data = new Uint8Array(width * HEIGHT);
    data[10 * width + x] = 1;
    return { phrase: 'vessel', boxXyxyPx: [x, 10, x + 1, 11] as const, mask: { width, height: HEIGHT, data } };
  };
  const image = { width, height: HEIGHT, data: new Uint8Array(3 * width * HEIGHT).fill(number) };
  return {
    id,
    dataset: 'd',
    image,
    phrases: ['vessel'],
    objects: [piece(number), piece(number + 2)],
    ...(group === undefined ? {} : { group }),
  };
}

function listed(samples: readonly Sample[]): Dataset {
  return {
    name: 'd',
    size: samples.length,
    load: async (index) => samples[index] as Sample,
    source: (index) => {
      const { id, group } = samples[index] as Sample;
      return { id, group, files: [`${id}.png`], annotation: id };
    },
  };
}

const frames = (name: string, group: string | undefined, count: number) =>
  Array.from({ length: count }, (_, i) => numbered(`${name}_${i}`, group, i));
const brightness = ({ data }: Sample['image']) => data[0] as number;
const OPTIONS = { frames: 5, every: 1, seed: 3 };

describe('sequences', () => {
  it('are images of one group named alike but for a number, each once; images without a group stand alone', () => {
    const dataset = listed([...frames('b', 'g', 2).reverse(), ...frames('a', 'g', 3), ...frames('a', undefined, 3), ...frames('a', 'g', 3)]); // biome-ignore format: one line
    expect(sequencesIn(dataset)).toEqual([
      { name: 'b', indices: [1, 0], times: 1 },
      { name: 'a', indices: [2, 3, 4], times: 2 },
    ]);
  });
});

describe('clips of a dataset', () => {
  it('follow a sequence at an even speed, turn round at its ends, and keep to it', async () => {
    const clips = new ClipDataset(listed([...frames('a', 'g', 7), ...frames('a', 'h', 7)]), OPTIONS);
    expect(clips.size).toBe(14);
    const seen = new Set<number>();
    for (let i = 0; i < clips.size; i++) {
      const { id, image, objects, later = [], phrases } = await clips.load(i);
      expect(id.startsWith('a_')).toBe(true);
      const numbers = [image, ...later.map((frame) => frame.image)].map(brightness);
      expect(numbers).toHaveLength(5);
      expect(numbers[0]).toBe(i % 7);
      const steps = numbers.slice(1).map((n, k) => Math.abs(n - (numbers[k] as number)));
      const speed = Math.max(...steps);
      seen.add(speed);
      expect(speed).toBeLessThanOrEqual(3);
      expect(numbers.every((n) => n >= 0 && n < 7)).toBe(true);
      // Both pieces of a phrase are one object, found again in each frame.
      expect(objects.map(({ phrase, boxXyxyPx }) => [phrase, boxXyxyPx])).toEqual([['vessel', [i % 7, 10, (i % 7) + 3, 11]]]);
      expect(later.map(({ masks: [mask] }) => mask && boxOfMask(mask))).toEqual(numbers.slice(1).map((n) => [n, 10, n + 3, 11]));
      expect(phrases).toEqual(['vessel']);
      const { group, files } = clips.source(i) ?? {};
      expect(group).toBe(i < 7 ? 'g' : 'h');
      expect(new Set(files)).toEqual(new Set(numbers.map((n) => `a_${n}.png`)));
    }
    expect(seen.size).toBeGreaterThan(1);
    const again = new ClipDataset(listed(frames('a', 'g', 7)), OPTIONS);
    expect((await again.load(3)).later).toEqual((await clips.load(3)).later);
  });

  it('begin at every n-th image, and as often as a dataset repeats it', () => {
    const samples = frames('a', 'g', 7);
    expect(new ClipDataset(listed(samples), { ...OPTIONS, every: 5 }).size).toBe(2);
    expect(new ClipDataset(listed([...samples, ...samples]), OPTIONS).size).toBe(14);
  });

  it('of a single image move it, and begin with it as it is', async () => {
    const [still] = frames('a', undefined, 1) as [Sample];
    const data = still.image.data.map((_, i) => ((i / 3) % WIDTH) * 7);
    const mask = { width: WIDTH, height: HEIGHT, data: Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => Number(i % WIDTH > 10 && i % WIDTH < 20)) }; // biome-ignore format: one line
    const sample = { ...still, image: { ...still.image, data }, objects: [{ phrase: 'vessel', mask, boxXyxyPx: [11, 0, 20, 24] as const }] }; // biome-ignore format: one line
    const clip = await new ClipDataset(listed([sample]), OPTIONS).load(0);
    expect(clip.image).toBe(sample.image);
    expect(clip.later).toHaveLength(4);
    for (const { image, masks } of clip.later ?? []) {
      expect(image.data).not.toEqual(data);
      // The image's brightness says where a column came from: the mask moved with it.
      const inside = [...(masks[0]?.data ?? [])].flatMap((one, i) => (one === 1 ? [image.data[3 * i] as number] : []));
      expect(inside.length).toBeGreaterThan(0);
      expect(Math.min(...inside)).toBeGreaterThan(10 * 7 - 8);
      expect(Math.max(...inside)).toBeLessThan(20 * 7 + 8);
    }
  });

  it('refuse a sequence whose frames have several sizes, by name', async () => {
    const clips = new ClipDataset(listed([numbered('a_0', 'g', 0), numbered('a_1', 'g', 1, 40)]), OPTIONS);
    await expectError(clips.load(0), { code: 'E_CLIP_FRAMES', where: 'a_1', what: '40x24' });
  });

  it('are augmented as a whole: all frames are moved alike', async () => {
    const sample = await new ClipDataset(listed(frames('a', 'g', 7)), OPTIONS).load(2);
    const still = { ...sample, later: (sample.later ?? []).map(() => ({ image: sample.image, masks: sample.objects.map(({ mask }) => mask) })) }; // biome-ignore format: one line
    const { objects, later = [] } = augment(still, 'ultrasound', Rng.seeded(5));
    for (const { masks } of later) expect(masks[0]).toEqual(objects[0]?.mask);
    expect(() => augment(still, 'strong', Rng.seeded(5))).toThrow(RangeError);
  });
});

describe('clips of phantoms', () => {
  const options = { size: 12, seed: 4, width: 48, height: 40, domain: phantomDomains['standard'] as PhantomDomain, frames: 6 };

  it('are the same for equal seeds, begin with their objects, and lose some of them', async () => {
    const [clips, again] = [new PhantomClipDataset(options), new PhantomClipDataset(options)];
    let [shown, lost] = [0, 0];
    for (let i = 0; i < clips.size; i++) {
      const { objects, later = [], image } = await clips.load(i);
      expect(later).toHaveLength(5);
      expect(objects.every(({ mask }) => boxOfMask(mask) !== undefined)).toBe(true);
      expect(later.every(({ masks }) => masks.length === objects.length)).toBe(true);
      expect(later[0]?.image.data).not.toEqual(image.data);
      const empty = later.flatMap(({ masks }) => masks).filter((mask) => boxOfMask(mask) === undefined).length;
      lost += empty;
      shown += later.length * objects.length - empty;
    }
    expect(lost).toBeGreaterThan(0);
    expect(shown).toBeGreaterThan(lost);
    expect((await again.load(7)).later?.[3]).toEqual((await clips.load(7)).later?.[3]);
  });
});
