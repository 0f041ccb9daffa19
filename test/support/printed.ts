import { jest } from '@jest/globals';

/** What is written to standard error meanwhile. */
export function printed(body: () => unknown): string {
  let text = '';
  const spy = jest.spyOn(process.stderr, 'write').mockImplementation(((chunk: unknown) => {
    text += String(chunk);
    return true;
  }) as never);
  try {
    body();
  } finally {
    spy.mockRestore();
  }
  return text;
}
