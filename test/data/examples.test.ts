import { readdirSync, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { auditForTraining, CocoDataset } from '../../src/data/index.js';
import { maskArea } from '../../src/imaging/index.js';

/** What the files of `configs/splits` call an image. */
const keyOf = (source: string) => parse(source).name.toLowerCase();

const SPLITS = ['train', 'val', 'test'] as const;

async function openParts(root: string) {
  const [train, val, test] = await Promise.all(SPLITS.map((part) => CocoDataset.open(root, part)));
  return { train, val, test } as { train: CocoDataset; val: CocoDataset; test: CocoDataset };
}

describe('examples/', () => {
  it.each([
    ['examples/hc18', [60, 20, 120], ['fetal head']],
    ['examples/usgra-seg', [48, 12, 26], ['blood vessel', 'nerve']],
  ] as const)('%s can be read whole, is small, and names what it shows', async (root, sizes, phrases) => {
    const parts = await openParts(root);
    expect(SPLITS.map((part) => parts[part].size)).toEqual(sizes);
    for (const part of SPLITS) {
      for (let i = 0; i < parts[part].size; i++) {
        const { image, objects } = await parts[part].load(i);
        expect(Math.max(image.width, image.height)).toBeLessThanOrEqual(256);
        expect(objects.length).toBeGreaterThan(0);
        for (const { phrase, mask } of objects) {
          expect(phrases).toContain(phrase);
          expect(maskArea(mask)).toBeGreaterThan(0);
        }
      }
    }
  });

  it.each(['examples/hc18', 'examples/usgra-seg'])('no picture, subject or copy of %s is in two parts', async (root) => {
    await auditForTraining(await openParts(root));
  });

  it('shows each subject of HC18 once, so that each counts alike', async () => {
    const parts = await openParts('examples/hc18');
    const groups = SPLITS.flatMap((part) => [...Array(parts[part].size).keys()].map((i) => parts[part].source(i).group));
    expect(new Set(groups).size).toBe(200);
  });

  it('tests on nothing that the published division trains on', async () => {
    for (const [folder, prefix] of [
      ['hc18', 'training_set/'],
      ['usgra-seg', 'dataset/'],
    ] as const) {
      const { parts } = JSON.parse(await readFile(`configs/splits/${folder}.json`, 'utf8')) as {
        parts: Record<'train' | 'val' | 'test', string[]>;
      };
      const trained = new Set(parts.train);
      const known = new Set([...parts.val, ...parts.test]);
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
