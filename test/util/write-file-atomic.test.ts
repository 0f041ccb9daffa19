import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { concernsOneFile, isLeftover, mountOf, SonogroundError, temporaryPath, writeFileAtomic } from '../../src/util/index.js';
import { expectError } from '../support/expect-error.js';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'atomic-'));
});
afterEach(() => rm(dir, { recursive: true }));

describe('writeFileAtomic', () => {
  it('replaces a file and makes missing folders', async () => {
    const path = join(dir, 'a', 'b', 'file.txt');
    await writeFileAtomic(path, 'one');
    await writeFileAtomic(path, async (file) => {
      await file.writeFile('tw');
      await file.writeFile('o');
    });
    expect(await readFile(path, 'utf8')).toBe('two');
    expect(await readdir(join(dir, 'a', 'b'))).toEqual(['file.txt']);
  });

  it('leaves the old file and no rest when the disk is full', async () => {
    const path = join(dir, 'file.txt');
    await writeFile(path, 'old');
    const full = async () => {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    };
    const error = await writeFileAtomic(path, full).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SonogroundError);
    expect((error as Error).message).toContain(`${path}: the disk is full`);
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(dir)).toEqual(['file.txt']);
  });

  it('writes a file whose name is as long as the file system allows', async () => {
    const path = join(dir, `${'é'.repeat(125)}.json`);
    await writeFileAtomic(path, 'long');
    expect(await readFile(path, 'utf8')).toBe('long');
    const longer = await writeFileAtomic(join(dir, 'a'.repeat(300)), '').catch((thrown: unknown) => thrown);
    expect((longer as Error).message).toContain('the name is longer than this file system allows. Choose a shorter name');
    expect(concernsOneFile(longer)).toBe(true);
    expect(await readdir(dir)).toHaveLength(1);
  });

  it('says of a full disk which one it is, and that it is not the fault of one file', async () => {
    const full = () => Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }));
    const error = await writeFileAtomic(join(dir, 'file.txt'), full).catch((thrown: unknown) => thrown);
    expect((error as Error).message).toContain(`the disk is full (${mountOf(dir)})`);
    expect(concernsOneFile(error)).toBe(false);
    const place = mountOf(dir);
    expect((await stat(place)).dev).toBe((await stat(dir)).dev);
  });

  it('names a folder that cannot be one', async () => {
    await writeFile(join(dir, 'file'), '');
    await expectError(writeFileAtomic(join(dir, 'file', 'below.txt'), ''), {
      code: 'E_FILE_WRITE',
      what: 'a part of the path is a file, not a folder',
    });
    await expectError(writeFileAtomic(dir, ''), { code: 'E_FILE_WRITE', what: 'it is a folder' });
  });
});

describe('isLeftover', () => {
  it('recognises the leftovers of killed processes, also of earlier versions, and nothing else', () => {
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    expect(basename(temporaryPath(join(dir, 'results.json')))).toMatch(
      new RegExp(`^\\.sonoground-${process.pid}-[0-9a-f]{12}\\.tmp$`),
    );
    expect(isLeftover(`.sonoground-${dead}-0123456789ab.tmp`)).toBe(true);
    expect(isLeftover('.results.json.0123456789ab.tmp')).toBe(true);
    for (const name of [
      `.sonoground-${process.ppid}-0123456789ab.tmp`, // of one that runs
      '.tmp',
      'results.tmp',
      '.results.json.tmp',
      'a.0123456789ab.tmp',
      '.sonoground-heir-0123456789ab.lock',
    ])
      expect(isLeftover(name)).toBe(false);
  });
});
