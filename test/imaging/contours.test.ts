import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { connectedComponents, labelComponents } from '../../src/imaging/components.js';
import { findContours, maskToPolygons, type Ring } from '../../src/imaging/contours.js';
import type { BinaryMask } from '../../src/imaging/mask.js';
import { polygonsToMask } from '../../src/imaging/polygons.js';
import { anyMask, drawnMask } from '../support/masks.js';
import { property } from '../support/properties.js';

/** Positive where it runs clockwise on the screen. */
function areaOf(ring: Ring): number {
  let twice = 0;
  for (let i = 0; i < ring.length; i += 2) {
    const [x0 = 0, y0 = 0] = ring.slice(i, i + 2);
    const [x1 = 0, y1 = 0] = i + 2 < ring.length ? ring.slice(i + 2, i + 4) : ring.slice(0, 2);
    twice += x0 * y1 - x1 * y0;
  }
  return twice / 2;
}

/** The sides of a ring as steps along x and y. */
const sidesOf = (ring: Ring): [number, number][] =>
  Array.from({ length: ring.length / 2 }, (_, i) => {
    const at = (k: number) => ring[k % ring.length] as number;
    return [at(2 * i + 2) - at(2 * i), at(2 * i + 3) - at(2 * i + 1)];
  });

describe('contours of any mask', () => {
  property('give it back as polygons', anyMask(), (mask) => {
    expect(polygonsToMask(maskToPolygons(mask), mask)).toEqual(mask);
  });

  property('are one for each connected part, and enclose as many pixels as it has', anyMask(), (mask) => {
    const contours = findContours(mask);
    const areas = contours.map(({ outer, holes }) => areaOf(outer) + holes.reduce((sum, hole) => sum + areaOf(hole), 0));
    expect(areas).toEqual(labelComponents(mask).areas);
  });

  property('run clockwise outside and counter-clockwise around holes, from corner to corner', anyMask(), (mask) => {
    for (const { outer, holes } of findContours(mask)) {
      expect(areaOf(outer)).toBeGreaterThan(0);
      for (const hole of holes) expect(areaOf(hole)).toBeLessThan(0);
      for (const ring of [outer, ...holes]) {
        const sides = sidesOf(ring);
        expect(sides.filter(([dx, dy]) => (dx === 0) === (dy === 0))).toEqual([]);
        expect(sides.filter(([dx], i) => (dx === 0) === (sides[(i + 1) % sides.length]?.[0] === 0))).toEqual([]);
      }
    }
  });
});

/** The labels by the definition: from each pixel that has none yet, all that can be reached. */
function labelsByFilling({ width, height, data }: BinaryMask): Int32Array {
  const labels = new Int32Array(data.length);
  let count = 0;
  const fill = (x: number, y: number, label: number): void => {
    const i = y * width + x;
    if (x < 0 || y < 0 || x >= width || y >= height || data[i] === 0 || labels[i] !== 0) return;
    labels[i] = label;
    for (const dy of [-1, 0, 1]) for (const dx of [-1, 0, 1]) fill(x + dx, y + dy, label);
  };
  for (const [i, value] of data.entries()) if (value !== 0 && labels[i] === 0) fill(i % width, Math.floor(i / width), ++count);
  return labels;
}

describe('connected parts', () => {
  property('are all that can be reached from a pixel, in reading order of their first pixels', anyMask(), (mask) => {
    const labels = labelsByFilling(mask);
    const areas = Array.from({ length: Math.max(0, ...labels) }, (_, i) => labels.filter((label) => label === i + 1).length);
    expect(labelComponents(mask)).toEqual({ labels, areas });
  });

  property('have each pixel of the mask once, and no pixel of a part touches another part', anyMask(14), (mask) => {
    const parts = connectedComponents(mask);
    const sum = mask.data.map((_, i) => parts.reduce((count, { data }) => count + (data[i] as number), 0));
    expect(sum).toEqual(mask.data);
    const { labels } = labelComponents(mask);
    const labelAt = (x: number, y: number) => (x < 0 || x >= mask.width || y >= mask.height ? 0 : labels[y * mask.width + x]);
    const apart = [...labels].filter((label, i) => {
      const [x, y] = [i % mask.width, Math.floor(i / mask.width)];
      const next = [labelAt(x + 1, y), labelAt(x, y + 1), labelAt(x + 1, y + 1), labelAt(x - 1, y + 1)];
      return label !== 0 && next.some((other) => other !== 0 && other !== label);
    });
    expect(apart).toEqual([]);
  });

  it('are left out below the smallest area, in reading order of their first pixels', () => {
    const mask = drawnMask('..#.#', '#...#', '#..##');
    expect(connectedComponents(mask, { minArea: 2 })).toEqual([
      drawnMask('....#', '....#', '...##'),
      drawnMask('.....', '#....', '#....'),
    ]);
    expect(connectedComponents(mask, { minArea: 4 })).toHaveLength(1);
    expect(connectedComponents(mask, { minArea: 5 })).toEqual([]);
    expect(connectedComponents(mask)).toHaveLength(3);
  });
});

describe('polygons', () => {
  const point = fc.integer({ min: -40, max: 160 }).map((tenths) => tenths / 10);
  const polygon = fc.array(point, { minLength: 6, maxLength: 12 }).map((list) => list.slice(0, list.length - (list.length % 2)));

  property('hold the pixels whose centres are inside by the even-odd rule', polygon, (corners) => {
    const size = { width: 13, height: 11 };
    const { data } = polygonsToMask([corners], size);
    const wrong = [...data].flatMap((value, i) => {
      const [x, y] = [(i % 13) + 0.5, Math.floor(i / 13) + 0.5];
      const crossings = sidesOf(corners).filter(([dx, dy], k) => {
        const [x0, y0] = [corners[2 * k] as number, corners[2 * k + 1] as number];
        return y0 <= y !== y0 + dy <= y && x0 + ((y - y0) / dy) * dx > x + 1e-9;
      });
      const near = sidesOf(corners).some(([dx, dy], k) => {
        const [x0, y0] = [corners[2 * k] as number, corners[2 * k + 1] as number];
        return dy !== 0 && Math.abs(x0 + ((y - y0) / dy) * dx - x) < 1e-6;
      });
      return near || value === crossings.length % 2 ? [] : [[x, y]];
    });
    expect(wrong).toEqual([]);
  });

  property('do not depend on where they begin and which way they run', polygon, (corners) => {
    const size = { width: 13, height: 11 };
    const pairs = Array.from({ length: corners.length / 2 }, (_, i) => corners.slice(2 * i, 2 * i + 2));
    const expected = polygonsToMask([corners], size);
    expect(polygonsToMask([[...pairs.slice(1), ...pairs.slice(0, 1)].flat()], size)).toEqual(expected);
    expect(polygonsToMask([[...pairs].reverse().flat()], size)).toEqual(expected);
  });
});
