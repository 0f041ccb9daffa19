import { describe, expect, it } from '@jest/globals';
import { loadDetector, nanoModels } from '../../src/pretrained/index.js';
import { freeze, runConfigSchema } from '../../src/train/index.js';
import { useBackend } from '../support/backend.js';

useBackend();

const config = (patterns: string[], more: object = {}) =>
  runConfigSchema.parse({ run: { dir: 'unused' }, data: { format: 'phantom' }, train: { freeze: patterns }, ...more });

describe('freezing', () => {
  it('keeps what the patterns name out of training, and nothing else', async () => {
    const { model } = await loadDetector(nanoModels.detector);
    try {
      freeze(model, config(['model.text_backbone.**']));
      for (const [path, { trainable }] of model.namedParameters())
        expect([path, trainable]).toEqual([path, !path.startsWith('model.text_backbone.')]);
    } finally {
      model.dispose();
    }
  });

  it('refuses patterns that fit nothing or everything, and to stand beside lora', async () => {
    const { model } = await loadDetector(nanoModels.detector);
    try {
      expect(() => freeze(model, config(['model.txet.**']))).toThrow(/train\.freeze.*model\.txet\.\*\* fits no parameter/s);
      expect(() => freeze(model, config(['**']))).toThrow(/leaves nothing to train/);
      expect(() => freeze(model, config(['model.**'], { lora: {} }))).toThrow(/only the adapters/);
    } finally {
      model.dispose();
    }
  });
});
