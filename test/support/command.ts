import { jest } from '@jest/globals';
import { commands } from '../../src/cli/commands.js';
import { main } from '../../src/cli/main.js';
import { nanoModels } from '../../src/pretrained/index.js';

/** The words of a command with the small models where it names none: they take a third of the time of the shipped ones. */
export function withNano(words: readonly string[]): string[] {
  const models = { '--model': nanoModels.detector, '--masker': nanoModels.masker };
  return [...words, ...Object.entries(models).flatMap(([name, model]) => (words.includes(name) ? [] : [name, model]))];
}

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
