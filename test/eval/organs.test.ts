import { expect, it } from '@jest/globals';
import { organOf } from '../../src/eval/published/datasets.js';

it.each([
  ['BUSI', 'breast'],
  ['hc18', 'fetal head'],
  ['usgra-seg', 'nerves and vessels'],
  ['coco', 'other'],
  ['our clinic', 'other'],
])('the organ of %s is %s, from the paper or the importer', (name, organ) => {
  expect(organOf(name)).toBe(organ);
});
