import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/index.js';
import { applyLora, loraPresets } from '../../src/lora/index.js';
import { GroundingDino, parseGroundingDinoConfig } from '../../src/models/grounding-dino/index.js';
import { runConfigSchema, specOf } from '../../src/train/index.js';
import { Rng } from '../../src/util/index.js';
import { demoSchema, trainingOf } from '../../src/workflows/demo/index.js';
import { useBackend } from '../support/backend.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();
const dir = temporaryFolder('configs');

describe('configs/', () => {
  it('demo.yaml is two trainings, each of which is a run', async () => {
    const config = await loadConfig('configs/demo.yaml', demoSchema, ['detector.train.epochs=3']);
    const [detector, masker] = [trainingOf(config, 'detector'), trainingOf(config, 'masker')];
    expect([detector.run.dir, masker.run.dir]).toEqual(['runs/demo/detector', 'runs/demo/masker']);
    expect([detector.task, detector.train.epochs]).toEqual(['detector', 3]);
    expect(masker.task).toBe('masker');
    expect(masker.train.epochs).toBeGreaterThan(3);
    for (const run of [detector, masker]) expect(runConfigSchema.parse(run)).toEqual(run);
  });

  it.each(readdirSync('configs').filter((file) => file.endsWith('.yaml') && file !== 'demo.yaml'))(
    '%s loads without former names',
    async (file) => {
      const notices: string[] = [];
      const logger = { info: (line: string) => void notices.push(line), warn: () => {} };
      expect((await loadConfig(join('configs', file), runConfigSchema, [], logger)).run.dir).toMatch(/^runs\//);
      expect(notices).toEqual([]);
    },
  );

  it('reads settings that a run recorded under former names', async () => {
    const file = join(dir, 'config.yaml');
    const lora = 'lora: {rank: 4, targets: [out], trainFully: [norm]}';
    const judging = 'eval: {boxThreshold: 0.05, select: best, folds: 0}';
    await writeFile(file, ['run: {dir: runs/a}', 'data: {format: phantom}', lora, judging].join('\n'));
    const config = await loadConfig(file, runConfigSchema);
    expect(config.lora).toMatchObject({ rank: 4, targetModules: ['out'], modulesToSave: ['norm'] });
    expect(config.eval).toEqual({ threshold: 0.05, select: 'best-per-phrase', folds: 0, grid: 'image' });
  });

  it('us15.yaml is the recipe of the paper', async () => {
    const { model, lora, train, loss } = await loadConfig('configs/us15.yaml', runConfigSchema, []);
    expect(model).toMatchObject({ detector: 'grounding-dino-tiny', masker: 'sam2.1-hiera-large', imageSize: { square: 800 } });
    expect(train).toMatchObject({ batchSize: 4, learningRate: 5e-4, weightDecay: 1e-4, patience: 20, augment: 'paper' });
    expect(loss).toMatchObject({ class: 1, bbox: 10, giou: 1 });
    const spec = specOf(lora as NonNullable<typeof lora>);
    expect(spec.targetModules).toEqual(loraPresets['paper']?.targetModules);
    const { percent } = applyLora(new GroundingDino(parseGroundingDinoConfig({})), spec, Rng.seeded(1));
    expect(percent).toBeCloseTo(1.7, 1);
  });

  it("gives the published code's form by the overrides that its header names", async () => {
    const overrides = [
      'lora.preset=paper-code',
      'model.imageSize={shortest: 800, longest: 1333}',
      'loss.auxiliary=0',
      'loss.encoder=0',
    ];
    const { model, lora } = await loadConfig('configs/us15.yaml', runConfigSchema, overrides);
    expect(model.imageSize).toEqual({ shortest: 800, longest: 1333 });
    const detector = new GroundingDino(parseGroundingDinoConfig({}));
    const { trainable, total, percent } = applyLora(detector, specOf(lora as NonNullable<typeof lora>), Rng.seeded(1));
    expect(trainable).toBe(2_991_108);
    expect(Math.round(percent * 100) / 100).toBe(Math.round((100 * 2_991_108 * 100) / total) / 100);
  });
});
