import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { GroundingDinoPredictor } from '../../src/infer/index.js';
import { loadDetector } from '../../src/pretrained/index.js';
import { useBackend } from '../support/backend.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const SMALL = 'weights/nano-grounding-dino';
const tool = join('tools', 'real', 'grown.mjs');
const dir = temporaryFolder('grown');

it('a detector with a wider and deeper backbone finds the same as before', async () => {
  const grown = join(dir, 'grown');
  execFileSync(process.execPath, [tool, SMALL, grown, '--depths', '2,2,4,2']);
  const domain = phantomDomains['standard'] as PhantomDomain;
  const { image } = await new PhantomDataset({ size: 1, seed: 5, width: 96, height: 80, domain }).load(0);
  const [before, after] = [await detect(SMALL), await detect(grown)];
  expect(after.parameters).toBeGreaterThan(2.5 * before.parameters);
  expect(before.found.length).toBeGreaterThan(1);
  expect(after.found.length).toBe(before.found.length);
  for (const [i, { phrase, score, boxXyxyPx }] of before.found.entries()) {
    const same = after.found[i];
    expect(same?.phrase).toBe(phrase);
    expect(same?.score).toBeCloseTo(score, 3);
    for (const [k, edge] of boxXyxyPx.entries()) expect(Math.abs((same?.boxXyxyPx[k] ?? Number.NaN) - edge)).toBeLessThan(0.05);
  }

  async function detect(folder: string) {
    const parts = await loadDetector(folder);
    const parameters = [...parts.model.namedParameters()].reduce(
      (sum, [, { shape }]) => sum + shape.reduce((a, b) => a * b, 1),
      0,
    );
    const found = await new GroundingDinoPredictor(parts).detect(image, ['cyst', 'kidney'], { threshold: 0.1 });
    parts.model.dispose();
    return { parameters, found };
  }
});

it('fewer blocks than before are refused, and nothing is written', () => {
  const refused = join(dir, 'refused');
  expect(() => execFileSync(process.execPath, [tool, SMALL, refused, '--depths', '1,1,1,1'], { stdio: 'pipe' })).toThrow(
    /none below 1,2,3,1/,
  );
  expect(existsSync(refused)).toBe(false);
});
