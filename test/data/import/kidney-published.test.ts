import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { assemblePaper, type Done } from '../../../src/data/import/assemble.js';
import { FileTree } from '../../../src/data/import/file-tree.js';
import { type Instance, paperInstances } from '../../../src/data/import/instances.js';
import { findAdapter } from '../../../src/data/import/registry.js';
import { countParts } from '../../../src/data/import/report.js';
import { paperStems } from '../../../src/data/import/stems.js';

/** The second reviewer's table and masks; the images need registration and are not there. */
const PUBLISHED = fileURLToPath(new URL('../../../../shared/data/published/kidneyus-labels/', import.meta.url));
const there = existsSync(PUBLISHED);

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sonoground-kidney-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe(there ? 'the published table of kidneyUS' : 'the published table of kidneyUS (skipped: it is not here)', () => {
  (there ? it : it.skip)('comes to the rows and files that the published code makes', async () => {
    await symlink(PUBLISHED, join(dir, 'kidneyUS-main'));
    await mkdir(join(dir, 'images'));
    const masks = join(PUBLISHED, 'labels', 'reviewed_masks_2', 'capsule');
    for (const name of await readdir(masks)) await writeFile(join(dir, 'images', name), '');
    const adapter = findAdapter('kidneyus');
    const tree = await FileTree.open(dir);
    const options = { protocol: 'paper', tree, variant: 'reviewer-2', prompts: [], officialSplits: false } as const;
    const { records, problems } = await adapter.scan(options);
    expect(problems).toEqual([]);
    const paper = adapter.paper ?? { key: '' };
    const instances = new Map<string, readonly Pick<Instance, 'class' | 'boxXyxyPx'>[]>();
    const done: Done[] = [];
    for (const { stem, imageStem, record } of paperStems(records, paper)) {
      const [mask] = record.masks;
      const file = mask?.kind === 'file' ? mask.file : '';
      const { width, height } = await sharp(file).metadata();
      if (!instances.has(file)) {
        const found = await paperInstances(record, { width, height }, paper);
        instances.set(
          file,
          found.map(({ class: name, boxXyxyPx }) => ({ class: name, boxXyxyPx })),
        );
      }
      const objects = (instances.get(file) ?? []).map(({ class: name }) => ({
        class: name,
        bbox: [0, 0, 1, 1] as const,
        area: 1,
        maskFile: '',
      }));
      done.push({ record, result: { stem, ok: true, imageFile: `${imageStem}.png`, width, height, objects } });
    }
    const assembly = { adapter, seed: 42, keepParts: false, phraseOf: (name: string) => name, classes: [], from: dir };
    const { counts } = countParts(assemblePaper(done, assembly).parts);
    expect([counts.train.rows, counts.val.rows, counts.test.rows]).toEqual([1814, 518, 260]);
    expect([counts.train.files, counts.val.files, counts.test.files]).toEqual([1257, 465, 241]);
  });
});
