import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { CocoDataset, findImporter, importDataset } from '../../../src/data/index.js';
import { expectError } from '../../support/expect-error.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { miniatures } from './miniatures/index.js';
import { objectsBySource, readSplit, SPLITS, sorted } from './support.js';

const dir = temporaryFolder('miniatures');

describe.each(miniatures.map((miniature) => [miniature.dataset, miniature] as const))('%s', (name, miniature) => {
  const from = () => join(dir, `${name} in`);
  beforeAll(async () => {
    await mkdir(from());
    await miniature.write(from());
  });

  it('comes out with every object, each patient in one split', async () => {
    const to = join(dir, `${name} strict`);
    const report = await importDataset({ dataset: name, from: from(), to });
    expect(report.problems.map(({ file }) => file).sort()).toEqual([...(miniature.problems ?? [])].sort());
    const expected = Object.fromEntries(Object.entries(miniature.images).map(([source, objects]) => [source, sorted(objects)]));
    expect(await objectsBySource(to)).toEqual(expected);
    const all = Object.values(miniature.images);
    const total = (what: 'rows' | 'images' | 'files') => SPLITS.reduce((sum, split) => sum + report.counts[split][what], 0);
    expect([total('rows'), total('images'), total('files')]).toEqual([all.flat().length, all.length, all.length]);
    expect(SPLITS.map((split) => report.counts[split].images > 0)).toEqual(
      miniature.unseen ? [false, false, true] : [true, true, true],
    );
    expect(report.sharedGroups).toBe(0);
    const splitOf = new Map<string, string>();
    for (const split of SPLITS) for (const { source } of (await readSplit(to, split)).images) splitOf.set(source, split);
    for (const group of miniature.groups ?? []) expect(new Set(group.map((source) => splitOf.get(source))).size).toBe(1);
    // What was written is what the trainer reads, and no other file is there.
    for (const split of SPLITS) {
      const dataset = await CocoDataset.open(to, split);
      expect(dataset.size).toBe(report.counts[split].images);
      for (let i = 0; i < dataset.size; i++) expect((await dataset.load(i)).phrases.length).toBeGreaterThan(0);
    }
    expect((await readdir(join(to, 'images'))).length).toBe(all.length);
    expect((await readdir(join(to, 'masks'))).length).toBe(all.flat().length);
  });

  if (findImporter(name).paper === undefined) {
    it('is none of the paper’s', async () => {
      const asked = { dataset: name, from: from(), to: join(dir, `${name} paper`), protocol: 'paper' } as const;
      await expectError(importDataset(asked), {
        code: 'E_OPTION_CONFLICT',
        where: '--protocol',
        what: 'the paper has no dataset',
      });
    });
    return;
  }

  it('is divided by rows under the protocol of the paper', async () => {
    const to = join(dir, `${name} paper`);
    const report = await importDataset({ dataset: name, from: from(), to, protocol: 'paper' });
    const { rows, phrases, files } = miniature.paper ?? { rows: 0, phrases: [], files: 0 };
    const counts = SPLITS.map((split) => report.counts[split].rows);
    expect(counts.reduce((a, b) => a + b)).toBe(rows);
    expect(Object.keys(report.phrases)).toEqual(phrases);
    expect(report.notes.join(' ')).toContain('it to compare with the published figures');
    const names = new Set<string>();
    for (const split of SPLITS) for (const { file_name } of (await readSplit(to, split)).images) names.add(file_name);
    expect(names.size).toBe(files);
    const dataset = await CocoDataset.open(to, 'test');
    for (let i = 0; i < dataset.size; i++) expect((await dataset.load(i)).objects.length).toBeGreaterThan(0);
  });
});
