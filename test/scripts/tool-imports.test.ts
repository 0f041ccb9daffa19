import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, it } from '@jest/globals';
import { glob } from 'tinyglobby';

/** What the scripts take from the compiled project: `dist('a/b.js')` of the benches, and imports from `dist/`. */
const IMPORTED = /\bdist\('([^']+)\.js'\)|\/dist\/([^'"]+)\.js['"]/g;

it('benches and tools import only what there is', async () => {
  const files = await glob(['bench/**/*.mjs', 'tools/**/*.mjs']);
  const imported: string[] = [];
  for (const file of files) {
    for (const [, ofBench, direct] of (await readFile(file, 'utf8')).matchAll(IMPORTED))
      imported.push(`${file}: src/${ofBench ?? direct}.ts`);
  }
  expect(imported.length).toBeGreaterThan(10);
  expect(imported.filter((line) => !existsSync(line.split(': ')[1] as string))).toEqual([]);
});
