import { describe, expect, it } from '@jest/globals';
import { commandGroups, commands } from '../../src/cli/commands.js';
import { loadableCommands, loadCommands } from '../../src/cli/load-commands.js';
import { nameOf } from '../../src/cli/overview.js';

describe('loading only the typed command', () => {
  it('knows the module of every command, and loads that command alone', async () => {
    expect([...loadableCommands].sort()).toEqual(commands.map(({ command }) => nameOf(command)).sort());
    for (const command of commands) expect((await loadCommands(nameOf(command.command))).commands).toEqual([command]);
  });

  it.each([undefined, 'infre', '--help', 'setup', 'constructor', 'toString'])('offers all commands after %s', async (word) => {
    expect(await loadCommands(word)).toEqual({ commands, groups: commandGroups });
  });
});
