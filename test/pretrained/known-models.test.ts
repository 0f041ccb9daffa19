import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  type HubSettings,
  hubSettings,
  knownModels,
  parseModelName,
  resolveModelDirectory,
} from '../../src/pretrained/hub/index.js';
import { lacksLayer } from '../../src/pretrained/index.js';
import { writeSafetensors } from '../../src/weights/formats/index.js';
import { expectError } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const root = temporaryFolder('known');

describe('models with short names', () => {
  it('say how large they are, under which licence and what they were trained on', () => {
    for (const [name, { repo, parameters, licence, trainedOn }] of Object.entries(knownModels))
      expect(`${name} ${[repo, parameters, licence, trainedOn].every((text) => text !== '')}`).toBe(`${name} true`);
    const restricted = Object.entries(knownModels).filter(([, { restricted }]) => restricted !== undefined);
    expect(restricted.map(([name]) => name)).toEqual([
      'medsam2-latest',
      'medsam2-2411',
      'medsam2-us-heart',
      'medsam2-mri-liver-lesion',
      'medsam2-ct-lesion',
      'biomedparse',
    ]);
  });

  it('that share a repository are found by their own file, and not by another one’s', async () => {
    const settings: HubSettings = await hubSettings({ HF_HUB_CACHE: root, HOME: root });
    const { repo, revision } = parseModelName('medsam2-us-heart');
    const folder = join(root, `models--${repo.replace('/', '--')}`, 'snapshots', revision);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'MedSAM2_latest.pt'), 'x');
    expect(await resolveModelDirectory('medsam2-latest', settings)).toBe(join(folder, 'MedSAM2_latest.pt'));
    await expectError(resolveModelDirectory('medsam2-us-heart', settings), { code: 'E_MODEL_NOT_DOWNLOADED' });
  });
});

describe('the last layer of the box head', () => {
  const one = { dtype: 'float32', shape: [1], data: Float32Array.of(1) } as const;

  it.each<[string, boolean]>([
    ['base_model.model.transformer.decoder.bbox_embed.0.layers.2.weight', false],
    ['base_model.model.bbox_embed.0.layers.2.modules_to_save.default.bias', false],
    ['base_model.model.transformer.decoder.bbox_embed.0.layers.1.lora_A.weight', true],
    ['base_model.model.transformer.decoder.bbox_embed.0.layers.20.weight', true],
    ['base_model.model.transformer.decoder.bbox_embed.1.layers.2.weight', true],
  ])('with %s alone is missing: %p', async (key, missing) => {
    const folder = join(root, key);
    await mkdir(folder);
    const file = join(folder, 'adapter_model.safetensors');
    await writeSafetensors(file, new Map([[key, one]]));
    await writeFile(join(folder, 'optimizer.pt'), 'not weights');
    expect(await lacksLayer(folder, 'bbox_embed.0.layers.2')).toBe(missing);
    expect(await lacksLayer(file, 'bbox_embed.0.layers.2')).toBe(missing);
  });
});
