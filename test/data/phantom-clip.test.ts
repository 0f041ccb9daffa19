import { describe, expect, it } from '@jest/globals';
import { generatePhantomClip, type PhantomClip, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { boxOfMask, maskArea, type RasterImage } from '../../src/imaging/index.js';

const standard = phantomDomains['standard'] as PhantomDomain;
const size = { width: 80, height: 64 };
const FRAMES = 40;

function clip(seed: number, leaves?: boolean): PhantomClip {
  return generatePhantomClip(seed, { ...size, domain: standard, frames: FRAMES, leaves });
}

/** Correlation of the grey values of two images, inside a box. */
function correlation(a: RasterImage, b: RasterImage, shift: readonly [number, number] = [0, 0]): number {
  const pairs: [number, number][] = [];
  for (let y = 20; y < 50; y++)
    for (let x = 20; x < 60; x++) {
      const there = (y + shift[1]) * a.width + x + shift[0];
      pairs.push([a.data[3 * (y * a.width + x)] as number, b.data[3 * there] as number]);
    }
  const mean = (k: 0 | 1) => pairs.reduce((sum, pair) => sum + pair[k], 0) / pairs.length;
  const [ma, mb] = [mean(0), mean(1)];
  const sum = (of: (p: [number, number]) => number) => pairs.reduce((total, pair) => total + of(pair), 0);
  return sum(([u, v]) => (u - ma) * (v - mb)) / Math.sqrt(sum(([u]) => (u - ma) ** 2) * sum(([, v]) => (v - mb) ** 2));
}

/** The best correlation over small shifts. */
function following(a: RasterImage, b: RasterImage): number {
  let best = -1;
  for (let dy = -8; dy <= 8; dy++) for (let dx = -8; dx <= 8; dx++) best = Math.max(best, correlation(a, b, [dx, dy]));
  return best;
}

describe('phantoms that move', () => {
  it('are the same for the same seed, whatever the order of the frames, and others for another seed', async () => {
    const [one, two] = [clip(3), clip(3)];
    const late = await two.frame(17);
    expect((await one.frame(0)).data).toEqual((await two.frame(0)).data);
    expect((await one.frame(17)).data).toEqual(late.data);
    expect(one.objects(17)).toEqual(two.objects(17));
    expect((await clip(4).frame(0)).data).not.toEqual((await one.frame(0)).data);
  });

  it('show something on their first frame, with tight boxes and disjoint masks', () => {
    for (let seed = 0; seed < 12; seed++) {
      const objects = clip(seed).objects(0);
      expect(objects.length).toBeGreaterThan(0);
      const taken = new Uint8Array(size.width * size.height);
      for (const { mask, boxXyxyPx } of objects) {
        expect(boxOfMask(mask)).toEqual(boxXyxyPx);
        expect(maskArea(mask)).toBeGreaterThan(20);
        for (const [i, value] of mask.data.entries()) {
          if (value === 1 && taken[i] === 1) throw new Error('two masks overlap');
          if (value === 1) taken[i] = 1;
        }
      }
    }
  });

  it('move: masks shift between frames, by a few pixels from one to the next', () => {
    let moved = 0;
    for (let seed = 0; seed < 8; seed++) {
      const own = clip(seed, false);
      const centres = Array.from({ length: FRAMES }, (_, i) => {
        const box = own.objects(i)[0]?.boxXyxyPx;
        if (box === undefined) throw new Error('it left the plane');
        return [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2] as const;
      });
      for (const [i, [x, y]] of centres.slice(1).entries())
        expect(Math.hypot(x - (centres[i]?.[0] as number), y - (centres[i]?.[1] as number))).toBeLessThan(8);
      const spread = Math.max(
        ...centres.map(([x, y]) => Math.hypot(x - (centres[0]?.[0] as number), y - (centres[0]?.[1] as number))),
      );
      if (spread > 2) moved += 1;
    }
    expect(moved).toBeGreaterThanOrEqual(6);
  });

  it('leave the plane and come back where they are asked to, as the same tracks', () => {
    for (let seed = 0; seed < 6; seed++) {
      const own = clip(seed, true);
      const shown = Array.from({ length: FRAMES }, (_, i) => own.objects(i).map(({ track }) => track));
      expect(shown[0]?.length).toBeGreaterThan(0);
      expect(shown.some((tracks) => tracks.length === 0)).toBe(true);
      expect(shown.at(-1)).toEqual(shown[0]);
    }
    for (let seed = 0; seed < 6; seed++) {
      const own = clip(seed, false);
      for (let i = 0; i < FRAMES; i++) expect(own.objects(i).length).toBeGreaterThan(0);
    }
  });

  it('have speckle that follows the tissue and decorrelates with motion across the plane', async () => {
    const near: number[] = [];
    const away: number[] = [];
    for (let seed = 0; seed < 4; seed++) {
      const own = clip(seed, true);
      const gone = Array.from({ length: FRAMES }, (_, i) => i).find((i) => own.objects(i).length === 0) as number;
      const first = await own.frame(0);
      near.push(following(first, await own.frame(1)));
      away.push(following(first, await own.frame(gone)));
    }
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(near)).toBeGreaterThan(mean(away) + 0.15);
    expect(mean(near)).toBeGreaterThan(0.6);
    expect(mean(near)).toBeLessThan(0.999);
  });

  it('have no frame beyond their end', async () => {
    await expect(clip(0).frame(FRAMES)).rejects.toThrow(RangeError);
    expect(() => clip(0).objects(-1)).toThrow(RangeError);
  });
});
