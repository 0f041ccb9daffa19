import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { encodePng } from '../../src/imaging/index.js';

/** Phantoms so small that even a software GPU is done with one in seconds. */
export const smallPhantoms = new PhantomDataset({
  size: 2,
  seed: 1,
  width: 64,
  height: 56,
  domain: phantomDomains['shifted'] as PhantomDomain,
});

/** Writes them as `0.png` and `1.png`, and gives the paths. */
export async function writeSmallPhantoms(dir: string): Promise<string[]> {
  const paths: string[] = [];
  for (let i = 0; i < smallPhantoms.size; i++) {
    const path = join(dir, `${i}.png`);
    await writeFile(path, await encodePng((await smallPhantoms.load(i)).image));
    paths.push(path);
  }
  return paths;
}
