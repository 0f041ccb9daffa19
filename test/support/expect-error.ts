import { expect } from '@jest/globals';
import { type ErrorCode, type ErrorParts, SonogroundError } from '../../src/util/index.js';

/** What a test knows of an error. Texts have to be part of the error's own, expressions have to match it. */
export interface ExpectedError {
  readonly code: ErrorCode;
  readonly class?: abstract new (...args: never) => SonogroundError;
  /** The place: a file, a setting, an argument. */
  readonly where?: string | RegExp;
  /** What matters of the sentence, such as a number or a name in it, and not its wording. */
  readonly what?: string | RegExp;
  readonly fix?: string | RegExp;
}

/**
 * Asserts that something fails, and with which error: by its code and its place, so that sentences may be worded anew.
 *
 * @returns the error, for what else there is to say of it.
 */
export function expectError(attempt: () => unknown, expected: ExpectedError): SonogroundError;
export function expectError(attempt: Promise<unknown>, expected: ExpectedError): Promise<SonogroundError>;
export function expectError(attempt: Promise<unknown> | (() => unknown), expected: ExpectedError) {
  if (typeof attempt !== 'function')
    return attempt.then(
      (value) => nothingThrown(expected, value),
      (error: unknown) => checked(error, expected),
    );
  let value: unknown;
  try {
    value = attempt();
  } catch (error) {
    return checked(error, expected);
  }
  return nothingThrown(expected, value);
}

function nothingThrown({ code }: ExpectedError, value: unknown): never {
  if (value instanceof Promise) throw new Error('a function that returns a promise was given: call it');
  throw new Error(`expected an error with the code ${code}, and there was none`);
}

function checked(error: unknown, { class: expectedClass, code, ...texts }: ExpectedError): SonogroundError {
  // An error that nobody planned is shown with its own stack.
  if (!(error instanceof SonogroundError)) throw error;
  const parts = Object.keys(texts) as (keyof typeof texts & keyof ErrorParts)[];
  expect({ code: error.code, ...Object.fromEntries(parts.map((part) => [part, error[part]])) }).toEqual({
    code,
    ...Object.fromEntries(parts.map((part) => [part, matcherOf(texts[part])])),
  });
  if (expectedClass !== undefined) expect(error).toBeInstanceOf(expectedClass);
  return error;
}

function matcherOf(text: string | RegExp | undefined): unknown {
  return text instanceof RegExp ? expect.stringMatching(text) : expect.stringContaining(text ?? '');
}
