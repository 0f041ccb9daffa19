import { expect, it } from '@jest/globals';
import { CheckpointError, DataError, packError, renameKeys, SonogroundError, unpackError } from '../../src/util/index.js';

it.each([
  new DataError({ code: 'E_IMAGE_DAMAGED', where: 'a.png', what: 'it is cut off', fix: 'Copy it again' }),
  new CheckpointError({ code: 'E_WEIGHTS_DAMAGED', where: 'b', what: 'it ends early' }),
])('an error crosses threads with its class, code and parts: %s', (error) => {
  const arrived = unpackError(JSON.parse(JSON.stringify(packError(error))));
  expect(arrived).toBeInstanceOf(error.constructor);
  expect({ ...arrived }).toEqual({ ...error });
});

it('an error of an unknown class keeps its code', () => {
  const arrived = unpackError({ name: 'HubError', code: 'E_HUB_BUSY', where: 'hub', what: 'it is busy' });
  expect(arrived.constructor).toBe(SonogroundError);
  expect(arrived.code).toBe('E_HUB_BUSY');
});

it('keys are renamed at any depth, also in lists, and no inherited name is taken', () => {
  expect(renameKeys({ a: [{ a: 1 }, null, 'a'], constructor: 2 }, { a: 'b' })).toEqual({
    b: [{ b: 1 }, null, 'a'],
    constructor: 2,
  });
});
