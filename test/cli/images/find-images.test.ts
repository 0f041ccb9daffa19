import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findImages } from '../../../src/cli/images/find-images.js';
import { namedImages } from '../../../src/cli/images/image-ids.js';
import { unsafeName } from '../../../src/util/index.js';
import { expectError } from '../../support/expect-error.js';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'find-'));
  await mkdir(join(dir, 'in', 'sub'), { recursive: true });
  for (const name of ['in/a.png', 'in/sub/b.png']) await writeFile(join(dir, name), '');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const lines: string[] = [];
const logger = { info: (line: string) => lines.push(line), warn: (line: string) => lines.push(line) };
const idsIn = async (name: string, skip: readonly string[] = []) =>
  (await findImages([join(dir, name)], { skip: skip.map((folder) => join(dir, folder)), logger })).map(({ id }) => id);

describe('a folder with links', () => {
  it('has each image once, by its shortest way, however many links lead round in circles', async () => {
    for (let i = 0; i < 12; i++) {
      await symlink('.', join(dir, 'in', `again-${i}`));
      await symlink('..', join(dir, 'in', 'sub', `up-${i}`));
    }
    expect(await idsIn('in')).toEqual(['a', 'sub/b']);
    expect(await idsIn('in/**/*.png')).toEqual(['a', 'sub/b']);
    expect((await findImages([join(dir, 'in'), join(dir, 'in', 'again-3')])).map(({ id }) => id)).toEqual(['a', 'sub/b']);
  });

  it('has what links lead to elsewhere, and two names of one file are two images', async () => {
    await mkdir(join(dir, 'elsewhere'));
    await writeFile(join(dir, 'elsewhere', 'c.png'), '');
    await symlink(join(dir, 'elsewhere'), join(dir, 'in', 'far'));
    await symlink('a.png', join(dir, 'in', 'z.png'));
    expect(await idsIn('in')).toEqual(['a', 'far/c', 'sub/b', 'z']);
  });
});

describe('results of the command', () => {
  beforeEach(async () => {
    await mkdir(join(dir, 'in', 'out', 'overlays'), { recursive: true });
    await writeFile(join(dir, 'in', 'out', 'overlays', 'a.png'), '');
    await symlink('.', join(dir, 'in', 'loop'));
  });

  it('are no images to look at, by whatever way they are reached', async () => {
    lines.length = 0;
    expect(await idsIn('in', ['in/out/overlays'])).toEqual(['a', 'sub/b']);
    expect(lines).toEqual([expect.stringContaining('1 results of this command in it are skipped')]);
    expect(await idsIn('in', ['in/loop/loop/out/overlays'])).toEqual(['a', 'sub/b']);
    await symlink('out/overlays/a.png', join(dir, 'in', 'linked.png'));
    expect(await idsIn('in', ['in/out/overlays'])).toEqual(['a', 'sub/b']);
    expect(await idsIn('in/**/*.png', ['in/out/overlays'])).toEqual(['a', 'sub/b']);
  });

  it('are refused by name when they are asked for', async () => {
    await expectError(idsIn('in/loop/out/overlays/a.png', ['in/out/overlays']), {
      code: 'E_INPUT_IS_OUTPUT',
      what: 'it is a result of this very command',
    });
    await expectError(idsIn('in/out', ['in/out/overlays']), {
      code: 'E_NO_IMAGES',
      what: 'but the results of this very command',
    });
  });
});

describe('paths that are not regular files', () => {
  it('stays in the list, to be reported, and is not opened', async () => {
    await symlink('nowhere', join(dir, 'in', 'broken.png'));
    await symlink('/dev/zero', join(dir, 'in', 'zero.dcm'));
    if (spawnSync('mkfifo', [join(dir, 'in', 'pipe.nii')]).status !== 0) return;
    // Reading the pipe would never end.
    expect(await idsIn('in')).toEqual(['a', 'broken', 'pipe', 'sub/b', 'zero']);
    expect(await idsIn('in/pipe.nii')).toEqual(['pipe']);
  });
});

describe('ids', () => {
  const idsOf = (...names: string[]) =>
    namedImages(names.map((below) => ({ path: `/scans/${below}`, below }))).map(({ id }) => id);

  it('of names that are too long for their files are cut between characters, each to another one, always the same', () => {
    const long = ['x'.repeat(251), `${'x'.repeat(250)}y`, 'é'.repeat(125), `${'é'.repeat(124)}e`].map((stem) => `${stem}.png`);
    const ids = idsOf(...long, 'short.png');
    expect(new Set(ids).size).toBe(5);
    for (const id of ids) {
      expect(Buffer.byteLength(`${id}_9999.png`)).toBeLessThanOrEqual(255);
      expect(id).not.toContain('\ufffd');
    }
    expect(ids.slice(0, 4)).toEqual(
      long.map((name) => expect.stringMatching(new RegExp(`^${name.slice(0, 100)}.*-[0-9a-f]{16}$`))),
    );
    expect(idsOf('other.png', ...long).slice(1)).toEqual(ids.slice(0, 4));
    expect(idsOf(`${'x'.repeat(227)}.png`)).toEqual(['x'.repeat(227)]);
  });

  it('of long names that differ in their ending alone, or in capitals, stay apart', () => {
    const stem = 'x'.repeat(250);
    const ids = idsOf(`${stem}.png`, `${stem}.jpg`, `${stem.toUpperCase()}.png`);
    expect(new Set(ids.map((id) => id.toLowerCase())).size).toBe(3);
    for (const id of ids) expect(Buffer.byteLength(`${id}_9999.png`)).toBeLessThanOrEqual(255);
  });

  it('lead nowhere, on no system', () => {
    const names = ['../../x.png', 'a/../../b.png', 'c:evil.png', 'd\\..\\..\\e.png', '... .png', 'f\\g.png', 'f/g.png'];
    const ids = idsOf(...names);
    for (const id of ids) expect([id, unsafeName(id)]).toEqual([id, undefined]);
    expect(ids).toEqual(['x', 'a/b', 'c_evil', 'd_.._.._e', expect.any(String), 'f_g', 'f/g']);
  });
});
