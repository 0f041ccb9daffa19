import { describe, expect, it } from '@jest/globals';
import type { BinaryMask, Calibration, SpacingMm } from '../../src/imaging/index.js';
import {
  circumference,
  ellipsoidVolume,
  isMeasured,
  type MaskMeasures,
  measureMask,
  measuresFields,
  spreadOf,
} from '../../src/measure/index.js';
import { Rng } from '../../src/util/index.js';
import { ellipseMask } from '../support/ellipse-mask.js';

const whole = (spacingMm: SpacingMm): Calibration => ({ kind: 'image', spacingMm, source: 'test' });

function measured(mask: BinaryMask, calibration: Calibration): MaskMeasures {
  const result = measureMask(mask, calibration);
  if (!isMeasured(result)) throw new Error(result.reason);
  return result;
}

/** A mask of rows of text: `#` is inside. */
function drawn(...rows: string[]): BinaryMask {
  const data = Uint8Array.from(rows.join(''), (letter) => Number(letter === '#'));
  return { width: (rows[0] as string).length, height: rows.length, data };
}

describe('the measures of an ellipse', () => {
  const rng = Rng.seeded(7);
  const draw = (low: number, high: number) => rng.uniform(low, high);
  const cases = Array.from({ length: 40 }, () => {
    const spacingMm = [draw(0.1, 0.3), draw(0.1, 0.3)] as const;
    // Of 8 to 60 pixels of half axis, whichever way a pixel is the longer one.
    const major = 2 * draw(8, 40) * Math.max(...spacingMm);
    const axesMm = [major, major * draw(0.4, 0.98)] as const;
    return { axesMm, angle: draw(0, Math.PI), spacingMm, offsetMm: [draw(0, 0.5), draw(0, 0.5)] as const };
  });
  const results = cases.map((parts) => {
    const { axesMm, spacingMm } = parts;
    const measures = measured(ellipseMask(parts), whole(spacingMm));
    // Errors in pixels of the longer side, as lengths follow no axis of the grid.
    const px = Math.max(...spacingMm);
    return {
      long: Math.abs(measures.longAxis.mm - axesMm[0]) / px,
      short: Math.abs(measures.shortAxis.mm - axesMm[1]) / px,
      perimeter: Math.abs(measures.perimeterMm - circumference(axesMm)) / px,
      circumference: Math.abs((measures.ellipse?.circumferenceMm ?? 0) - circumference(axesMm)) / px,
      major: Math.abs((measures.ellipse?.axesMm[0] ?? 0) - axesMm[0]) / px,
      minor: Math.abs((measures.ellipse?.axesMm[1] ?? 0) - axesMm[1]) / px,
      // An area that is a ring of one pixel too large would be off by about the perimeter.
      area: Math.abs(measures.areaMm2 - (Math.PI / 4) * axesMm[0] * axesMm[1]) / (px * circumference(axesMm)),
    };
  });

  it.each(['long', 'short', 'perimeter', 'circumference', 'major', 'minor', 'area'] as const)(
    'are within a pixel on average, of any size, turn and shape of pixels: %s',
    (name) => {
      const errors = results.map((result) => result[name]);
      const mean = errors.reduce((a, b) => a + b, 0) / errors.length;
      expect(mean).toBeLessThan(
        { long: 0.6, short: 0.6, perimeter: 0.6, circumference: 0.4, major: 0.2, minor: 0.2, area: 0.05 }[name],
      );
      expect(Math.max(...errors)).toBeLessThan(name === 'perimeter' ? 2 : 1.5);
    },
  );

  it('have axes that end on its outline, at right angles in millimetres', () => {
    const spacingMm = [0.1, 0.3] as const;
    const { longAxis, shortAxis } = measured(ellipseMask({ axesMm: [30, 15], angle: 0.6, spacingMm }), whole(spacingMm));
    const vector = ({ endsPx: [from, to] }: typeof longAxis) => [(to[0] - from[0]) * 0.1, (to[1] - from[1]) * 0.3] as const;
    const [a, b] = [vector(longAxis), vector(shortAxis)];
    expect(Math.hypot(...a)).toBeCloseTo(longAxis.mm, 9);
    expect(Math.hypot(...b)).toBeCloseTo(shortAxis.mm, 9);
    expect((a[0] * b[0] + a[1] * b[1]) / (longAxis.mm * shortAxis.mm)).toBeCloseTo(0, 9);
    // From the horizontal towards the bottom, as it was drawn.
    expect(Math.abs(Math.atan(a[1] / a[0]) - 0.6)).toBeLessThan(0.06);
  });
});

describe('the measures of other shapes', () => {
  it('of a rectangle are its diagonal, the greatest line across that, and its exact area', () => {
    const rows = Array.from({ length: 44 }, (_, y) =>
      y >= 2 && y < 42 ? '....##############################....' : '.'.repeat(38),
    );
    const { longAxis, shortAxis, areaMm2, perimeterMm } = measured(drawn(...rows), whole([0.5, 0.5]));
    expect(areaMm2).toBe(30 * 40 * 0.25);
    // Corners are rounded off by a pixel or so each.
    expect(longAxis.mm).toBeGreaterThan(24);
    expect(longAxis.mm).toBeLessThan(25.1);
    // The longest chord at right angles to the diagonal of a 15 x 20 rectangle leaves through both long sides: 15 / 0.8.
    expect(shortAxis.mm).toBeGreaterThan(18.75 - 0.5);
    expect(shortAxis.mm).toBeLessThan(18.75 + 0.5);
    expect(Math.abs(perimeterMm - 70)).toBeLessThan(1.5);
  });

  it('are those of the largest part, whose share is stated; holes count for the area alone', () => {
    const rows = Array.from({ length: 30 }, (_, y) =>
      Array.from({ length: 40 }, (__, x) =>
        x < 24 && x >= 4 && y >= 4 && y < 24 && !(x >= 10 && x < 14 && y >= 10 && y < 14) ? '#' : '.',
      ).join(''),
    );
    rows[29] = `${'.'.repeat(36)}####`;
    const { parts, share, areaMm2, longAxis, perimeterMm } = measured(drawn(...rows), whole([1, 1]));
    expect([parts, areaMm2]).toEqual([2, 384]);
    expect(share).toBeCloseTo(384 / 388, 9);
    expect(longAxis.mm).toBeLessThan(Math.hypot(20, 20));
    expect(Math.abs(perimeterMm - 80)).toBeLessThan(4);
  });

  it('exist for the smallest masks, without an ellipse where there is none', () => {
    const { areaMm2, longAxis, ellipse } = measured(drawn('...', '.#.', '...'), whole([0.5, 0.25]));
    expect([areaMm2, longAxis.mm, ellipse]).toEqual([0.125, 0.5, undefined]);
    const line = measured(drawn('......', '.####.', '......'), whole([0.5, 0.5]));
    expect(line.longAxis.mm).toBe(2);
    expect(line.shortAxis.mm).toBeCloseTo(0.5, 9);
  });

  it('do not exist for an empty mask, nor without a scale', () => {
    expect(measureMask(drawn('..', '..'), whole([1, 1]))).toEqual({ reason: 'the mask is empty' });
    expect(measureMask(drawn('#.', '..'), undefined)).toEqual({ reason: 'the file does not say how large a pixel is' });
    expect(measuresFields({ reason: 'because' })).toEqual({ measures: null, unmeasured: 'because' });
  });
});

describe('depth', () => {
  const region = { name: 'region 1', boxXyxyPx: [0, 0, 40, 40] as const, spacingMm: [0.5, 0.25] as const, prior: false };
  const at = (surfaceYPx: number, surfaceStated: boolean): Calibration => ({
    kind: 'regions',
    source: 'test',
    regions: [{ ...region, surfaceYPx, surfaceStated }],
  });
  const rows = Array.from({ length: 40 }, (_, y) =>
    y >= 20 && y < 30 ? `${'.'.repeat(10)}${'#'.repeat(20)}${'.'.repeat(10)}` : '.'.repeat(40),
  );

  it('runs straight down from the surface of the probe, to the nearest point and to the centroid', () => {
    const stated = measured(drawn(...rows), at(4, true)).depth;
    expect(stated?.from).toBe('reference pixel');
    expect(stated?.centroidMm).toBeCloseTo((25 - 4) * 0.25, 9);
    expect(Math.abs((stated?.nearestMm ?? 0) - (20 - 4) * 0.25)).toBeLessThan(0.25);
    expect(measured(drawn(...rows), at(0, false)).depth?.from).toBe('top of the scan region');
  });

  it('is unknown where no region says where the probe is', () => {
    expect(measured(drawn(...rows), whole([1, 1])).depth).toBeUndefined();
    expect(measuresFields(measureMask(drawn(...rows), whole([1, 1])))).toMatchObject({ measures: { depth: null } });
  });
});

describe('the volume of two planes', () => {
  it('is that of an ellipsoid, and says whether the planes agree', () => {
    const spacingMm = [0.4, 0.25] as const;
    const plane = (axesMm: readonly [number, number], angle: number) =>
      measured(ellipseMask({ axesMm, angle, spacingMm }), whole(spacingMm));
    const { ml, diametersMm, agreement } = ellipsoidVolume(plane([50, 18], 0.3), plane([22, 18], 1.2));
    expect(Math.abs(ml - ((Math.PI / 6) * 50 * 22 * 18) / 1000)).toBeLessThan(0.4);
    expect(diametersMm.map(Math.round)).toEqual([50, 22, 18]);
    expect(Math.abs(agreement - 1)).toBeLessThan(0.02);
    expect(ellipsoidVolume(plane([50, 30], 0.3), plane([22, 18], 1.2)).agreement).toBeGreaterThan(1.3);
  });
});

describe('the spread', () => {
  it('is the standard deviation over variants, and counts those that lost the structure', () => {
    const plane = (axis: number) =>
      measured(ellipseMask({ axesMm: [axis, 10], angle: 0, spacingMm: [0.2, 0.2] }), whole([0.2, 0.2]));
    const found = [20, 22, 24].map(plane);
    const spread = spreadOf(found, 1);
    expect(spread).toMatchObject({ variants: 3, lost: 1 });
    expect(Math.abs((spread?.longAxisMm ?? 0) - 2)).toBeLessThan(0.2);
    expect(spread?.shortAxisMm).toBeLessThan(0.2);
    expect(spreadOf(found.slice(0, 1), 3)).toBeUndefined();
  });
});
