import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { splitGroups } from '../../../src/data/import/splits/split.js';
import { importDataset } from '../../../src/data/index.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { mask, type Patch, put, scan } from './miniatures/draw.js';
import { readSplit, SPLITS } from './support.js';

const dir = temporaryFolder('drawn');
let made = 0;

const folder = () => join(dir, String(made++));

async function hc18(patches: readonly Patch[], size: readonly [number, number] = [80, 54]) {
  const [from, to] = [folder(), folder()];
  for (const n of [0, 1, 2]) {
    await put(from, `training_set/00${n}_HC.png`, await scan(...size, 260_000 + n));
    const own = n === 0 ? patches : [{ box: [10, 10, 30, 20] as const }];
    await put(from, `training_set_filled_masks/00${n}_HC_Annotation.png`, await mask(...size, own));
  }
  await put(from, 'training_set_pixel_size_and_HC.csv', 'filename,pixel size(mm),head circumference (mm)\n000_HC.png,0.06,44\n');
  return { to, report: await importDataset({ dataset: 'hc18', from, to }) };
}

describe('an outline', () => {
  it('that is not closed is a named problem, not a thin ring', async () => {
    const open: Patch[] = [{ box: [20, 10, 40, 30] }, { box: [22, 12, 36, 26], value: 0 }, { box: [58, 20, 2, 6], value: 0 }];
    const { report } = await hc18(open);
    expect(report.problems).toContainEqual({
      file: 'training_set_filled_masks/000_HC_Annotation.png',
      what: 'its outline is not closed, so it has no inside',
    });
  });

  it('too faint to be one is a named problem', async () => {
    const { report } = await hc18([{ box: [20, 10, 40, 30], value: 90 }]);
    expect(report.problems[0]?.what ?? report.problems).toMatch(/does not say how large/);
    expect(report.problems.map(({ what }) => what)).toContain('it shows something, but nothing of level 128 or more: no outline');
  });
});

describe('an image that somebody resized', () => {
  it('has larger pixels than its table says, and is named', async () => {
    const { to, report } = await hc18([{ box: [20, 10, 40, 30] }], [400, 270]);
    const images = await Promise.all(
      SPLITS.map(async (split) => JSON.parse(await readFile(join(to, 'annotations', `${split}.json`), 'utf8')).images),
    );
    const [first] = images.flat().filter(({ file_name }) => file_name === 'hc18_000_hc.png');
    expect(first.pixel_spacing_mm).toEqual([0.12, 0.12]);
    expect(report.notes.join('\n')).toMatch(/3 of 3 images are not of the size .*000_HC\.png is 400x270, published 800x540/);
    expect(report.problems).toContainEqual({
      file: 'training_set/001_HC.png',
      what: 'training_set_pixel_size_and_HC.csv does not say how large its pixels are; it is imported without',
    });
  });
});

describe('colours of classes', () => {
  it('that are no class’s are a named problem', async () => {
    const [from, to] = [folder(), folder()];
    const colours = [
      [128, 0, 0],
      [200, 200, 0],
      [0, 128, 0],
    ] as const;
    for (const [n, value] of colours.entries()) {
      await put(from, `dataset/images/000${n}.png`, await scan(50, 40, 270_000 + n));
      await put(from, `dataset/masks/000${n}.png`, await mask(50, 40, [{ box: [5, 5, 20, 15], value }]));
    }
    const { problems } = await importDataset({ dataset: 'usgra-seg', from, to });
    expect(problems).toEqual([
      {
        file: 'dataset/masks/0001.png',
        what: 'the mask has the colour (200, 200, 0), which is no class’s; known are nerve (128, 0, 0), vessel (0, 128, 0)'.replace(
          '’',
          "'",
        ),
      },
    ]);
  });
});

describe('frames of TG3K', () => {
  it('stay in their blocks where somebody left some of them out', async () => {
    const groupsOf = async (numbers: readonly number[]) => {
      const [from, to] = [folder(), folder()];
      for (const n of numbers) {
        const name = `${String(n).padStart(4, '0')}.jpg`;
        await put(from, `tg3k/thyroid-image/${name}`, await scan(40, 32, 280_000 + n, 'jpg'));
        await put(from, `tg3k/thyroid-mask/${name}`, await mask(40, 32, [[8, 8, 16, 16]], 'jpg'));
      }
      await importDataset({ dataset: 'tg3k', from, to });
      const groups = new Map<string, string>();
      for (const split of SPLITS)
        for (const { source, group } of (await readSplit(to, split)).images) groups.set(source.slice(-8, -4), group);
      return groups;
    };
    const every = Array.from({ length: 24 }, (_, i) => 150 * i);
    const [all, some] = [await groupsOf([...every, ...every.map((n) => n + 60)]), await groupsOf(every)];
    for (const [name, group] of some) expect(all.get(name)).toBe(group);
    expect(new Set(some.values()).size).toBe(20);
  });
});

describe('few large groups', () => {
  it.each([1, 2, 3, 42])('are split as close to 70/20/10 as possible (seed %d)', (seed) => {
    const sizes = { a: 200, b: 800, c: 100 };
    const items = Object.entries(sizes).flatMap(([group, count]) => Array.from({ length: count }, () => ({ group })));
    const splits = splitGroups(items, seed);
    const count = (split: string) => splits.filter((own) => own === split).length;
    expect([count('train'), count('val'), count('test')]).toEqual([800, 200, 100]);
  });
});
