import { describe, expect, it } from '@jest/globals';
import { augmentSchema } from '../../src/train/augment-schema.js';

describe('augmentSchema', () => {
  it.each([
    [{ rotate: { most: 181 } }, 'rotate.most'],
    [{ shear: { most: -0.1 } }, 'shear.most'],
    [{ stretch: { factor: [0, 1] } }, 'stretch.factor'],
    [{ zoom: { factor: [2, 1] } }, 'zoom.factor'],
    [{ zoom: { chance: 2 } }, 'zoom.chance'],
    [{ keep: 1.1 }, 'keep'],
    [{ resolution: { smallest: 0 } }, 'resolution.smallest'],
    [{ soften: { most: 21 } }, 'soften.most'],
    [{ gamma: { exponent: [0, 1] } }, 'gamma.exponent'],
    [{ dynamicRange: { factor: [0, 1] } }, 'dynamicRange.factor'],
    [{ attenuation: { slope: 61 } }, 'attenuation.slope'],
    [{ shadow: { factor: [0.5, 1.2] } }, 'shadow.factor'],
    [{ enhancement: { factor: [0.9, 1.2] } }, 'enhancement.factor'],
    [{ shadow: { most: 0 } }, 'shadow.most'],
    [{ speckle: { grain: [0, 2] } }, 'speckle.grain'],
    [{ erase: { most: 0 } }, 'erase.most'],
    [{ erase: { fill: 'white' } }, 'erase.fill'],
  ])('refuses %j', (wanted, path) => {
    const { error } = augmentSchema.safeParse(wanted);
    expect(error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  });

  it('fills in default chances and ranges, and adds no augmentation', () => {
    expect(augmentSchema.parse({ zoom: {}, erase: { most: 4 }, speckle: { most: 0.1 } })).toEqual({
      zoom: { chance: 0.5, factor: [0.8, 1.5] },
      erase: { chance: 0.5, area: [0.02, 0.15], most: 4 },
      speckle: { most: 0.1, grain: [1, 4] },
    });
  });
});
