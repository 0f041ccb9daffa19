import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/index.js';
import { PhantomDataset, type PhantomDomain, phantomDomains, writeCoco } from '../../src/data/index.js';
import { runConfigSchema } from '../../src/train/index.js';
import { evaluateRun, runExperiment } from '../../src/workflows/index.js';
import { useBackend } from '../support/backend.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const CONFIG = fileURLToPath(new URL('../../configs/us15.yaml', import.meta.url));
const UNSEEN = ['busbra', 'tnscui', 'luminous'];

const dir = temporaryFolder('us15-run');

/** The recipe on phantoms, with the shipped models in the place of the published ones. */
const config = () =>
  loadConfig(CONFIG, runConfigSchema, [
    `run.dir=${join(dir, 'run')}`,
    `data.root=${join(dir, 'data')}`,
    'data.missing=skip',
    'model.detector=weights/nano-grounding-dino',
    'model.masker=weights/nano-sam2',
    'model.imageSize={square: 128}',
    'train.epochs=1',
    'train.warmupSteps=2',
  ]);

describe('the recipe of the paper', () => {
  it('goes from fifteen sets of phantoms to weights and scores', async () => {
    const names = (await config()).data.sets.map(({ name }) => name).filter((name) => !UNSEEN.includes(name));
    expect(names).toHaveLength(15);
    const domain = phantomDomains['standard'] as PhantomDomain;
    for (const [k, name] of names.entries())
      for (const [p, part] of (['train', 'val', 'test'] as const).entries()) {
        const phantoms = new PhantomDataset({ size: p === 0 ? 2 : 1, seed: 100 * k + p, width: 96, height: 80, domain });
        await writeCoco(phantoms, join(dir, 'data', name), part);
      }

    const lines: string[] = [];
    const logger = { info: (line: string) => lines.push(line), warn: (line: string) => lines.push(line) };
    const { test, training } = await runExperiment(await config(), { logger });
    for (const name of UNSEEN) expect(lines.some((line) => line.startsWith(`${name} is not in `))).toBe(true);
    // Two images of each set, four a step.
    expect(training[0]).toMatchObject({ steps: 8, epochs: 1 });
    expect(test.images).toBe(15);
    const adapter = JSON.parse(await readFile(join(dir, 'run', 'best', 'adapter_config.json'), 'utf8'));
    expect(adapter).toMatchObject({ r: 11, lora_alpha: 11 });

    await evaluateRun(await config());
    const { strict, paper } = JSON.parse(await readFile(join(dir, 'run', 'metrics.json'), 'utf8'));
    const shown = Object.keys(strict.datasets);
    expect(names.filter((name) => shown.includes(name)).length).toBeGreaterThan(10);
    expect(shown.every((name) => names.includes(name) && name in paper.datasets)).toBe(true);
  });
});
