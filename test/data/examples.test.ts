import { readdirSync, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { auditForTraining, CocoDataset } from '../../src/data/index.js';
import { maskArea } from '../../src/imaging/index.js';

/** What the files of `configs/splits` call an image. */
const keyOf = (source: string) => parse(source).name.toLowerCase();

const SPLITS = ['train', 'val', 'test'] as const;

async function openSplits(root: string) {
  const [train, val, test] = await Promise.all(SPLITS.map((split) => CocoDataset.open(root, split)));
  return { train, val, test } as { train: CocoDataset; val: CocoDataset; test: CocoDataset };
}

describe('examples/', () => {
  it.each([
    ['examples/hc18', [60, 20, 120], ['fetal head']],
    ['examples/usgra-seg', [48, 12, 26], ['blood vessel', 'nerve']],
  ] as const)('%s is readable, small, and names its structures', async (root, sizes, phrases) => {
    const splits = await openSplits(root);
    expect(SPLITS.map((split) => splits[split].size)).toEqual(sizes);
    for (const split of SPLITS) {
      for (let i = 0; i < splits[split].size; i++) {
        const { image, objects } = await splits[split].load(i);
        expect(Math.max(image.width, image.height)).toBeLessThanOrEqual(256);
        expect(objects.length).toBeGreaterThan(0);
        for (const { phrase, mask } of objects) {
          expect(phrases).toContain(phrase);
          expect(maskArea(mask)).toBeGreaterThan(0);
        }
      }
    }
  });

  it.each(['examples/hc18', 'examples/usgra-seg'])('no image, subject or copy of %s is in two splits', async (root) => {
    await auditForTraining(await openSplits(root));
  });

  it('shows each subject of HC18 once, so that each counts alike', async () => {
    const splits = await openSplits('examples/hc18');
    const groups = SPLITS.flatMap((split) => [...Array(splits[split].size).keys()].map((i) => splits[split].source(i).group));
    expect(new Set(groups).size).toBe(200);
  });

  it('tests on nothing that the published division trains on', async () => {
    for (const [folder, prefix] of [
      ['hc18', 'training_set/'],
      ['usgra-seg', 'dataset/'],
    ] as const) {
      const { splits } = JSON.parse(await readFile(`configs/splits/${folder}.json`, 'utf8')) as {
        splits: Record<'train' | 'val' | 'test', string[]>;
      };
      const trained = new Set(splits.train);
      const known = new Set([...splits.val, ...splits.test]);
      const { images } = JSON.parse(await readFile(`examples/${folder}/annotations/test.json`, 'utf8')) as {
        images: { source: string }[];
      };
      for (const { source } of images) {
        expect(source.startsWith(prefix)).toBe(true);
        expect(known).toContain(keyOf(source));
        expect(trained).not.toContain(keyOf(source));
      }
    }
  });

  it('stays below 3 MB, comes with the package, and names its authors and their licence', () => {
    const files = readdirSync('examples', { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const bytes = files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
    expect(bytes).toBeLessThan(3e6);
    expect((JSON.parse(readFileSync('package.json', 'utf8')) as { files: string[] }).files).toContain('examples');
    for (const file of ['NOTICE', 'examples/README.md']) {
      const text = readFileSync(file, 'utf8');
      for (const words of ['CC BY 4.0', 'van den Heuvel', 'usgra-seg', 'TMK']) expect(text).toContain(words);
    }
  });
});
