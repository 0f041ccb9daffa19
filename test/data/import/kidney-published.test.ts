import { existsSync } from 'node:fs';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import sharp from 'sharp';
import { assemblePaper, type Done } from '../../../src/data/import/assemble.js';
import { FileTree } from '../../../src/data/import/file-tree.js';
import { outerRegions } from '../../../src/data/import/objects/outer-contours.js';
import { findImporter } from '../../../src/data/import/registry.js';
import { countSplits } from '../../../src/data/import/report.js';
import { paperStems } from '../../../src/data/import/stems.js';
import { describeUnless } from '../../support/skipped.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

/** The second reviewer's table and masks; the images need registration and are not there. */
const PUBLISHED = fileURLToPath(new URL('../../../../shared/data/published/kidneyus-labels/', import.meta.url));
const there = existsSync(PUBLISHED);

/** Outer contours of everything that is not 0, looked for where something is: the rest of a mask is black. */
async function contoursOf(file: string): Promise<number> {
  const grey = sharp(file).toColourspace('b-w');
  const { data, info } = await grey.clone().raw().toBuffer({ resolveWithObject: true });
  const rows = Array.from({ length: info.height }, (_, y) => data.subarray(y * info.width, (y + 1) * info.width));
  const used = rows.flatMap((row, y) => (row.some((value) => value > 0) ? [y] : []));
  const [top, bottom] = [used[0], used.at(-1)];
  if (top === undefined || bottom === undefined) return 0;
  // A black border around, so that the edge of the piece is outside.
  const height = bottom - top + 3;
  const piece = new Uint8Array(info.width * height);
  for (let y = top; y <= bottom; y++)
    piece.set(
      (rows[y] as Buffer).map((value) => (value > 0 ? 1 : 0)),
      (y - top + 1) * info.width,
    );
  return outerRegions({ width: info.width, height, data: piece }).length;
}

const dir = temporaryFolder('kidney');

describeUnless(there ? undefined : 'the published dataset is not here', 'the published table of kidneyUS', () => {
  it('comes to the rows and files that the published code makes', async () => {
    await symlink(PUBLISHED, join(dir, 'kidneyUS-main'));
    await mkdir(join(dir, 'images'));
    const masks = join(PUBLISHED, 'labels', 'reviewed_masks_2', 'capsule');
    for (const name of await readdir(masks)) await writeFile(join(dir, 'images', name), '');
    const importer = findImporter('kidneyus');
    const tree = await FileTree.open(dir);
    const options = { protocol: 'paper', tree, variant: 'reviewer-2', prompts: [], officialSplits: false } as const;
    const { records, problems } = await importer.scan(options);
    expect(problems).toEqual([]);
    const paper = importer.paper ?? { key: '' };
    const contours = new Map<string, number>();
    const done: Done[] = [];
    for (const { stem, imageStem, record } of paperStems(records, paper)) {
      const [mask] = record.masks;
      if (mask?.kind !== 'file' || mask.read.as !== 'bright') throw new Error('a row without a drawn mask');
      const count = contours.get(mask.file) ?? (await contoursOf(mask.file));
      contours.set(mask.file, count);
      const object = { class: mask.read.class, bbox: [0, 0, 1, 1], area: 1, maskFile: '' } as const;
      const objects = Array.from({ length: count }, () => object);
      done.push({ record, result: { stem, ok: true, imageFile: `${imageStem}.png`, width: 1, height: 1, objects } });
    }
    const assembly = { importer, seed: 42, keepSplits: false, phraseOf: (name: string) => name, classes: [], from: dir };
    const { counts } = countSplits(assemblePaper(done, assembly).splits);
    expect([counts.train.rows, counts.val.rows, counts.test.rows]).toEqual([1814, 518, 260]);
    expect([counts.train.files, counts.val.files, counts.test.files]).toEqual([1257, 465, 241]);
  });
});
