import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { findImporter } from '../../../src/data/import/registry.js';
import { readSplitFile, splitText } from '../../../src/data/import/splits/split-file.js';
import { SPLITS } from './support.js';

const FOLDER = fileURLToPath(new URL('../../../configs/splits/', import.meta.url));
const files = readdirSync(FOLDER);

/** Images of train, val and test. */
const COUNTS: Readonly<Record<string, readonly [number, number, number]>> = {
  busbra: [0, 0, 1875],
  busi: [546, 157, 77],
  cca: [800, 200, 100],
  hc18: [699, 199, 101],
  stu: [29, 8, 5],
  // For models that were not trained on it: all images.
  'stu-unseen': [0, 0, 42],
  tg3k: [897, 238, 60],
  tnscui: [0, 0, 637],
  'usgra-seg': [170, 48, 26],
};

describe('the divisions that come with the project', () => {
  it('are those that are listed here', () => {
    expect(files.map((file) => basename(file, '.json')).sort()).toEqual(Object.keys(COUNTS).sort());
  });

  it.each(files)('%s fits its dataset and lists every image once', async (file) => {
    const name = basename(file, '.json');
    const text = await readFile(join(FOLDER, file), 'utf8');
    const importer = findImporter(JSON.parse(text).dataset);
    const splitOf = await readSplitFile(join(FOLDER, file), importer);
    expect(SPLITS.map((split) => [...splitOf.values()].filter((own) => own === split).length)).toEqual(COUNTS[name]);
    expect([name, name.replace(/-unseen$/, '')]).toContain(importer.name);
    // As the import writes it.
    expect(splitText(JSON.parse(text))).toBe(text);
  });
});
