import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { stageFolder } from '../../src/export/staging.js';
import { MANIFEST } from '../../src/infer/index.js';
import { InUseError } from '../../src/util/index.js';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'staging-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const write = (text: string) => async (to: string) => {
  await writeFile(join(to, MANIFEST), JSON.stringify({ text }));
};
const textOf = async (place: string) => JSON.parse(await readFile(join(place, MANIFEST), 'utf8')).text;

describe('stageFolder', () => {
  it('writes a folder whose name is as long as the file system allows', async () => {
    const place = join(dir, 'n'.repeat(255));
    await stageFolder(place, false, write('long'));
    expect(await textOf(place)).toBe('long');
    expect(await readdir(dir)).toEqual([basename(place)]);
  });

  it('lets one at a time write a folder, and others beside it', async () => {
    const place = join(dir, 'once');
    let begin = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    let end = () => {};
    const ending = new Promise<void>((resolve) => {
      end = resolve;
    });
    const first = stageFolder(place, false, async (to) => {
      begin();
      await write('one')(to);
      await ending;
    });
    await begun;
    const second = await stageFolder(place, false, write('two')).catch((error: unknown) => error);
    await stageFolder(join(dir, 'other'), false, write('other'));
    end();
    await first;
    expect(second).toBeInstanceOf(InUseError);
    expect(await textOf(place)).toBe('one');
    expect((await readdir(dir)).sort()).toEqual(['once', 'other']);
  });

  it('removes the leftovers of a killed process, and restores the folder that it had moved aside', async () => {
    const place = join(dir, 'out');
    let stem = '';
    await stageFolder(place, false, async (to) => {
      stem = to.replace(/-\w+\.new$/, '');
      await write('whole')(to);
    });
    // Killed between the two renames; another one while it wrote.
    await rename(place, `${stem}-bbbbbbbb.old`);
    await mkdir(join(`${stem}-aaaaaaaa.new`, 'half'), { recursive: true });
    await expect(stageFolder(place, false, write('another'))).rejects.toThrow('it exists');
    expect(await textOf(place)).toBe('whole');
    expect(await readdir(dir)).toEqual(['out']);
  });

  it('leaves a folder alone that came into its place while it was written', async () => {
    const place = join(dir, 'out');
    const work = stageFolder(place, true, async (to) => {
      await write('new')(to);
      await mkdir(place);
      await writeFile(join(place, 'mine.txt'), 'mine');
    });
    await expect(work).rejects.toThrow('it is not an export');
    expect(await readFile(join(place, 'mine.txt'), 'utf8')).toBe('mine');
  });
});
