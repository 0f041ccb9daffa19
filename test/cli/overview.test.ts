import { existsSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { commandGroups, commands } from '../../src/cli/commands.js';
import { nameOf, overview } from '../../src/cli/overview.js';
import { runCommand } from '../support/command.js';

const help = overview(commandGroups, 'npx sonoground');

/** Command lines among examples, as words. */
function lines(text: string): string[][] {
  const found = text.split('\n').filter((line) => line.startsWith('  npx sonoground '));
  return found.map((line) => line.trim().split(' ').slice(2));
}

describe('the overview', () => {
  it('has every command once, the one that runs before all others included', () => {
    const listed = [...help.matchAll(/^ {2}([a-z][a-z-]*) {2,}\S/gm)].map(([, name]) => name as string);
    expect(listed.sort()).toEqual(['setup', ...commands.map(({ command }) => nameOf(command))].sort());
  });

  it('fits a terminal of 120 columns, but for lines to paste', () => {
    const text = help.split('\n').filter((line) => !line.startsWith('  npx sonoground'));
    expect(text.filter((line) => line.length > 120)).toEqual([]);
  });

  it('has examples of commands, options and files that there are', async () => {
    const examples = lines(help);
    expect(examples.length).toBeGreaterThan(3);
    for (const [name = '', ...words] of examples) {
      const { code, text } = await runCommand([name, '--help']);
      expect([name, code]).toEqual([name, 0]);
      for (const option of words.filter((word) => word.startsWith('--'))) expect(text).toMatch(new RegExp(`^ +${option} `, 'm'));
      for (const file of words.filter((word) => /^(configs|examples|weights)\//.test(word))) expect(existsSync(file)).toBe(true);
    }
  });
});
