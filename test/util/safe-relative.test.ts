import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataError, isInside, safePath, safeRelative, unsafeName } from '../../src/util/index.js';
import { expectError } from '../support/expect-error.js';

describe('safeRelative', () => {
  it('reads names of either system as paths below a folder', () => {
    expect(safeRelative('a.png', 'file')).toBe('a.png');
    expect(safeRelative('p1\\sub\\a.png', 'file')).toBe('p1/sub/a.png');
    expect(safeRelative('./p1//a.png', 'file')).toBe('p1/a.png');
    // Dots belong to many names.
    for (const name of ['..a.png', 'a..png', 'a/..b/c.png', '.hidden', 'a/...b']) expect(safeRelative(name, 'file')).toBe(name);
  });

  it.each([
    ['../a.png', 'leads out'],
    ['a/../../b.png', 'leads out'],
    ['a\\..\\..\\b.png', 'leads out'],
    ['..', 'leads out'],
    ['.. /a.png', 'leads out'],
    ['a/.../b.png', 'leads out'],
    ['/etc/passwd', 'absolute'],
    ['\\\\server\\share\\a.png', 'absolute'],
    ['C:\\a.png', 'absolute'],
    ['c:a.png', 'absolute'],
    ['a\0.png', 'NUL'],
    ['', 'no file'],
    ['./', 'no file'],
  ])('refuses %j', (name, reason) => {
    expect(unsafeName(name)).toContain(reason);
    expectError(() => safeRelative(name, 'train.json: image 3'), {
      code: 'E_PATH_OUTSIDE',
      class: DataError,
      where: 'train.json: image 3',
    });
  });

  it('does not repeat a name of a megabyte', () => {
    expect(unsafeName(`/${'a'.repeat(1e6)}`)?.length).toBeLessThan(200);
  });
});

describe('safePath', () => {
  let dir = '';
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'safe-'));
    await mkdir(join(dir, 'images', 'p1'), { recursive: true });
    await writeFile(join(dir, 'images', 'p1', 'a.png'), '');
    await writeFile(join(dir, 'secret.png'), '');
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('refuses links that lead out and follows those that do not', async () => {
    const images = join(dir, 'images');
    await symlink(join(dir, 'secret.png'), join(images, 'out.png'));
    await symlink(dir, join(images, 'up'));
    await symlink(join(images, 'p1', 'a.png'), join(images, 'in.png'));
    await symlink(images, join(dir, 'linked'));
    await expectError(safePath(images, 'out.png', 'file'), {
      code: 'E_PATH_OUTSIDE',
      where: 'file',
      what: 'a link that leads out',
    });
    await expectError(safePath(images, 'up/secret.png', 'file'), {
      code: 'E_PATH_OUTSIDE',
      where: 'file',
      what: 'a link that leads out',
    });
    expect(await safePath(images, 'in.png', 'file')).toBe(join(images, 'in.png'));
    expect(await safePath(join(dir, 'linked'), 'p1\\a.png', 'file')).toBe(join(dir, 'linked', 'p1', 'a.png'));
    expect(await safePath(images, 'absent.png', 'file')).toBe(join(images, 'absent.png'));
  });

  it('tells a folder from another whose name begins alike', () => {
    expect(isInside('/data/images-2/a.png', '/data/images')).toBe(false);
    expect(isInside('/data/images/..a.png', '/data/images')).toBe(true);
    expect(isInside('/data/images', '/data/images')).toBe(true);
    expect(isInside('/data', '/data/images')).toBe(false);
  });
});
