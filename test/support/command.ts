import { jest } from '@jest/globals';
import { commands } from '../../src/cli/commands.js';
import { main } from '../../src/cli/main.js';

/** Runs a command line in this process and gives the exit code and what a person would see. */
export async function runCommand(words: readonly string[]): Promise<{ code: number; text: string }> {
  let text = '';
  const write = (chunk: unknown) => {
    text += String(chunk);
    return true;
  };
  const spies = [jest.spyOn(process.stderr, 'write'), jest.spyOn(process.stdout, 'write')];
  for (const spy of spies) spy.mockImplementation(write as never);
  const before = process.exitCode;
  process.exitCode = 0;
  try {
    const code = await main(words, commands);
    return { code: code === 0 ? Number(process.exitCode) : code, text };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
}
