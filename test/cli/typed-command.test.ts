import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { typedForm, withDashes, withTypedCommands } from '../../src/cli/typed-command.js';

const OWN = { npm_package_json: join(process.cwd(), 'package.json') };

describe('the form in which a command was typed', () => {
  it.each([
    ['npx', {}, 'outside of npm'],
    ['npm', { ...OWN, npm_lifecycle_event: 'train' }, 'by the script of this package'],
    ['npx', { ...OWN, npm_lifecycle_event: 'npx' }, 'by npx in a clone'],
    ['npx', { ...OWN, npm_lifecycle_event: 'test' }, 'by another script of this package'],
    ['npx', { npm_package_json: '/mine/package.json', npm_lifecycle_event: 'train' }, "by a project's own script of that name"],
  ] as const)('is %s: %j, %s', (form, env, _when) => {
    expect(typedForm('train', env)).toBe(form);
  });
});

describe('commands in messages', () => {
  it.each([
    ['Run `sonoground setup`', 'Run `npx sonoground setup`', 'Run `npm run setup`'],
    ['`sonoground download --list`', '`npx sonoground download --list`', '`npm run download -- --list`'],
    ['See `sonoground --help`', 'See `npx sonoground --help`', 'See `npx sonoground --help`'],
    ['Run `npm run setup`, then', 'Run `npx sonoground setup`, then', 'Run `npm run setup`, then'],
    ['npm run download -- a/b', 'npx sonoground download a/b', 'npm run download -- a/b'],
    ['sonoground is set up', 'sonoground is set up', 'sonoground is set up'],
  ])('are named as they are typed: %s', (text, npx, npm) => {
    expect(withTypedCommands(text, 'npx')).toBe(npx);
    expect(withTypedCommands(text, 'npm')).toBe(npm);
  });

  it('have two dashes before their options through npm alone', () => {
    expect(withDashes('npm run infer --image a\nnpm run eval\nnpm run download [name]\nnpm run download a/b', 'npm')).toBe(
      'npm run infer -- --image a\nnpm run eval\nnpm run download -- [name]\nnpm run download -- a/b',
    );
    expect(withDashes('npx sonoground infer --image a', 'npx')).toBe('npx sonoground infer --image a');
  });
});
