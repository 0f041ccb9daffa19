import { expect, it } from '@jest/globals';
import { constantMaskBaseline } from '../../src/eval/index.js';
import { datasetOf, object, sample } from '../support/eval.js';

const shown = sample('shown', [object('cyst', [2, 2, 10, 10])]);
const blank = sample('blank', [], { phrases: ['cyst'] });

it('scores the mask of the training images on others', async () => {
  const { dsc, structures } = await constantMaskBaseline([{ train: datasetOf([shown]), test: datasetOf([shown, blank]) }]);
  expect(dsc).toBeGreaterThan(90);
  expect(structures).toEqual({ cyst: dsc });
});

it.each([
  ['there are no training images', []],
  ['no training image shows anything', [blank]],
])('is unknown, rather than 0, where %s', async (_, train) => {
  const found = await constantMaskBaseline([{ train: datasetOf(train), test: datasetOf([shown]) }]);
  expect(found).toEqual({ dsc: null, structures: { cyst: null } });
});
