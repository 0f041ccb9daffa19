import { describe, expect, it } from '@jest/globals';
import { packEngineError, unpackEngineError } from '../../src/serve/engine/wire.js';
import { HttpError } from '../../src/serve/http-error.js';
import { errorAnswer } from '../../src/serve/schemas.js';
import { CheckpointError, ConfigError, DataError, SonogroundError, UsageError } from '../../src/util/index.js';
import { wordsForPage } from '../../src/web/worker/server-hints.js';

describe('an error on its way from the process that computes', () => {
  it.each([
    new DataError({ code: 'E_IMAGE_DAMAGED', where: 'image', what: 'cut off', fix: 'Send it again' }),
    new UsageError({ code: 'E_PROMPT_TEXT', where: 'prompt', what: 'empty' }),
    new CheckpointError({ code: 'E_WEIGHTS_NOT_FINITE', where: 'detector', what: 'NaN' }),
    new ConfigError({ code: 'E_IMAGE_TOO_SMALL', where: 'grounding-dino', what: 'too few cells' }),
    new HttpError({ code: 'E_HTTP_IMAGE_GONE', status: 404, where: 'image_id', what: 'not kept' }),
    new SonogroundError({ code: 'E_SHAPE', where: 'boxes', what: 'expected shape [1, 4]' }),
  ])('keeps class, code and message: $name', (error) => {
    const arrived = unpackEngineError(JSON.parse(JSON.stringify(packEngineError(error))));
    expect(arrived).toBeInstanceOf(error.constructor);
    expect(arrived).toMatchObject({ code: error.code, where: error.where, what: error.what, fix: error.fix });
  });

  it('has no code where nobody planned it, and stays a plain error', () => {
    expect(unpackEngineError(packEngineError(new TypeError('x is not a function')))).not.toBeInstanceOf(SonogroundError);
  });
});

describe('an answer that is an error', () => {
  it('has a code by its schema', () => {
    const answer = { status: 404, where: 'path', what: 'there is nothing here' };
    expect(errorAnswer.safeParse(answer).success).toBe(false);
    expect(errorAnswer.safeParse({ ...answer, code: 'E_HTTP_PATH' }).success).toBe(true);
  });
});

describe('an error of the engine in a browser', () => {
  it('names the command of the server that reads more, and no other', () => {
    const of = (code: 'E_IMAGE_BROWSER' | 'E_IMAGE_TOO_LARGE') =>
      wordsForPage(new DataError({ code, where: 'image', what: 'not here', fix: 'Export it as JPEG' }));
    expect(of('E_IMAGE_BROWSER')).toBe('image: not here. Export it as JPEG. `npx sonoground serve` opens it as it is');
    expect(of('E_IMAGE_TOO_LARGE')).toBe('image: not here. Export it as JPEG');
    expect(wordsForPage(new Error('one\ntwo'))).toBe('one');
  });
});
