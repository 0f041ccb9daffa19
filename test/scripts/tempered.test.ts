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

const MODEL = 'weights/nano-grounding-dino';
const tool = join('tools', 'real', 'tempered.mjs');
const dir = temporaryFolder('tempered');
const logit = (score: number) => Math.log(score / (1 - score));

it('temperature scaling turns one score into another, with the same boxes in the same order', async () => {
  const scaled = join(dir, 'scaled');
  execFileSync(process.execPath, [tool, MODEL, scaled, '--score', '0.2', '--as', '0.3']);
  const domain = phantomDomains['standard'] as PhantomDomain;
  const { image } = await new PhantomDataset({ size: 1, seed: 5, width: 96, height: 80, domain }).load(0);
  const [before, after] = [await detect(MODEL), await detect(scaled)];
  expect(before.length).toBeGreaterThan(3);
  expect(after.length).toBe(before.length);
  for (const [i, { phrase, score, boxXyxyPx }] of before.entries()) {
    const same = after[i];
    expect(same?.phrase).toBe(phrase);
    expect(logit(same?.score ?? 0)).toBeCloseTo((logit(score) * logit(0.3)) / logit(0.2), 3);
    for (const [k, edge] of boxXyxyPx.entries()) expect(Math.abs((same?.boxXyxyPx[k] ?? Number.NaN) - edge)).toBeLessThan(0.01);
  }

  async function detect(folder: string) {
    const parts = await loadDetector(folder);
    const found = await new GroundingDinoPredictor(parts).detect(image, ['cyst', 'kidney'], { threshold: 0.01 });
    parts.model.dispose();
    return found.slice(0, 12);
  }
});

it.each([
  ['no scores', []],
  ['a score that no factor reaches', ['--score', '0.6', '--as', '0.3']],
  ['a score that is no number', ['--score', 'low']],
])('%s: refused, and nothing is written', (_, options) => {
  const refused = join(dir, 'refused');
  expect(() => execFileSync(process.execPath, [tool, MODEL, refused, ...options], { stdio: 'pipe' })).toThrow(/usage/);
  expect(existsSync(refused)).toBe(false);
});
