import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { type BatchSettings, settingsKey } from '../../src/infer/batch/settings.js';
import { shippedModels } from '../../src/pretrained/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('batch-settings');

it('images are segmented again once the masker has another adapter, or its adapter was retrained', async () => {
  const settings = { prompts: ['cyst'], ...shippedModels, adapter: undefined, select: 'all' } as const;
  const thresholds = { threshold: 0.1, nmsThreshold: 0.5 };
  const keyOf = (more: Partial<BatchSettings>) => settingsKey({ ...settings, ...thresholds, ...more });
  const maskerAdapter = join(dir, 'best');
  await mkdir(maskerAdapter);
  await writeFile(join(maskerAdapter, 'adapter_model.safetensors'), 'one');
  const [without, first] = [await keyOf({}), await keyOf({ maskerAdapter })];
  expect(await keyOf({ maskerAdapter: undefined })).toBe(without);
  expect(await keyOf({ maskerAdapter })).toBe(first);
  await writeFile(join(maskerAdapter, 'adapter_model.safetensors'), 'another');
  expect(new Set([without, first, await keyOf({ maskerAdapter })]).size).toBe(3);
});
