import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { findImages } from '../../src/cli/images/find-images.js';
import { FoldersDataset, importDataset } from '../../src/data/index.js';
import { dicom } from '../support/dicom.js';
import { element, part10 } from '../support/dicom-bytes.js';
import { expectError } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { mask, put, scan } from './import/miniatures/draw.js';
import { objectsBySource } from './import/support.js';

const [W, H] = [40, 30];
const MEDIA_STORAGE_DIRECTORY = '1.2.840.10008.1.3.10';
const film = (...levels: readonly number[]) =>
  dicom({
    width: W,
    height: H,
    frames: levels.map((level) => Uint8Array.from({ length: W * H }, (_, i) => (level * 3 + i) % 250)),
  });

const dir = temporaryFolder('endings');

describe('DICOM without a file name extension', () => {
  it('is found in folders and by globs, and nothing else that has none', async () => {
    const disc = join(dir, 'disc');
    const whole = film(1);
    await put(
      disc,
      'DICOMDIR',
      part10('1.2.840.10008.1.2.1', [element(0x00041130, 'CS', Buffer.from('DISC'))], MEDIA_STORAGE_DIRECTORY),
    );
    await put(disc, 'US/IM0001', whole);
    await put(disc, 'US/1.2.840.113', film(2, 3));
    // Written before there was a preamble.
    await put(disc, 'US/OLD', whole.subarray(whole.indexOf(Buffer.from([0x08, 0, 0x16, 0, 0x55, 0x49]))));
    await put(disc, 'note.png', await scan(W, H, 4));
    await put(disc, 'README', 'A disc of images.\n'.repeat(20));
    await put(disc, 'noise', randomBytes(4000).fill(255, 0, 2));
    await put(disc, 'empty', '');
    await put(disc, 'report.docx', whole);
    const found = [
      ['note', 'note.png'],
      ['US/1.2.840.113_0', 'US/1.2.840.113#0'],
      ['US/1.2.840.113_1', 'US/1.2.840.113#1'],
      ['US/IM0001', 'US/IM0001'],
      ['US/OLD', 'US/OLD'],
    ];
    expect((await findImages([disc])).map(({ id, fileName }) => [id, fileName])).toEqual(found);
    expect((await findImages([`${disc}/**`])).map(({ fileName }) => basename(fileName))).toEqual(
      found.map(([, file]) => basename(file as string)),
    );
    await rm(join(disc, 'US'), { recursive: true });
    await rm(join(disc, 'note.png'));
    await expectError(findImages([disc]), { code: 'E_NO_IMAGES' });
  });

  it('is imported from images/, its clips by frames, and trained on from there', async () => {
    const [from, to] = [join(dir, 'set'), join(dir, 'coco')];
    await put(from, 'images/IM0001', film(1));
    await put(from, 'images/1.2.840.113', film(2, 3));
    await put(from, 'images/plain.png', await scan(W, H, 4));
    await put(from, 'images/LICENSE', 'Nobody may read this as an image.');
    await put(from, 'masks/IM0001.png', await mask(W, H, [[3, 4, 10, 8]]));
    for (const k of [0, 1]) await put(from, `masks/1.2.840.113_${k}.png`, await mask(W, H, [[5 + k, 6, 10, 8]]));
    await put(from, 'masks/plain.png', await mask(W, H, [[7, 4, 10, 8]]));
    const trained = await FoldersDataset.open(from, { phrase: 'lesion' });
    expect(trained.size).toBe(4);
    const report = await importDataset({ dataset: 'folders', from, to });
    expect(report.problems).toEqual([]);
    expect(Object.values(await objectsBySource(to)).sort()).toEqual([
      [['lesion', 3, 4, 10, 8]],
      [['lesion', 5, 6, 10, 8]],
      [['lesion', 6, 6, 10, 8]],
      [['lesion', 7, 4, 10, 8]],
    ]);
  });
});
