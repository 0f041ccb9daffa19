import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SonogroundError, writeFileAtomic } from '../../src/util/index.js';

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

  it('names a folder that cannot be one', async () => {
    await writeFile(join(dir, 'file'), '');
    await expect(writeFileAtomic(join(dir, 'file', 'below.txt'), '')).rejects.toThrow(
      'a part of the path is a file, not a folder',
    );
    await expect(writeFileAtomic(dir, '')).rejects.toThrow('it is a folder');
  });
});
