import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { encodePng } from '../../src/imaging/index.js';

/** Different phantoms; more images repeat them. */
const DISTINCT = 4;

/** Fills a folder with `0.png`, `1.png` and so on. */
export async function makeScans(folder: string, images: number): Promise<void> {
  const domain = phantomDomains['standard'] as PhantomDomain;
  const phantoms = new PhantomDataset({ size: DISTINCT, seed: 7, width: 128, height: 96, domain });
  await mkdir(folder, { recursive: true });
  for (let i = 0; i < images; i++)
    await writeFile(join(folder, `${i}.png`), await encodePng((await phantoms.load(i % DISTINCT)).image));
}

/** All files that `infer` or `merge` wrote, as base64 by name, without the records of how they came about. */
export async function resultsOf(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((name) => !/^shards|^journal|^settings/.test(name));
  const read = async (name: string) => [name, await readFile(join(folder, name), 'base64')] as const;
  return new Map(await Promise.all(names.sort().map(read)));
}
