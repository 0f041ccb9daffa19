import { expect, it } from '@jest/globals';
import { type OpenedSplits, runConfigSchema, runTraining } from '../../src/train/index.js';
import { selectStartingModels, selectTrainedModels } from '../../src/workflows/index.js';

const config = (more: object) =>
  runConfigSchema.parse({
    run: { dir: 'runs/none' },
    data: { format: 'phantom' },
    lora: { preset: 'paper' },
    ...more,
  });

it('a masker that was trained beside a tuned detector is evaluated with it', () => {
  const run = config({ task: 'masker', model: { adapter: 'd/best' } });
  expect(selectStartingModels(run)).toEqual({ detector: run.model.detector, masker: run.model.masker, adapter: 'd/best' });
  expect(selectTrainedModels(run, 'm/best')).toMatchObject({ adapter: 'd/best', maskerAdapter: 'm/best' });
});

it('a detector that was trained whole keeps the adapter of its masker', () => {
  const run = config({ lora: undefined, model: { maskerAdapter: 'm/best' } });
  expect(selectTrainedModels(run, 'd/best')).toEqual({ detector: 'd/best', masker: run.model.masker, maskerAdapter: 'm/best' });
});

it.each([
  ['detector', { adapter: 'd/best' }, /model\.adapter: the detector is what is trained/],
  ['masker', { maskerAdapter: 'm/best' }, /model\.maskerAdapter: the masker is what is trained/],
])('refuses an adapter under the %s that is being trained', async (task, model, expected) => {
  const data = { train: { size: 1 }, val: { size: 1 }, test: { size: 1 } } as unknown as OpenedSplits;
  await expect(runTraining(config({ task, model }), data)).rejects.toThrow(expected);
});
