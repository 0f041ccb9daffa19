import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseSam2Config } from '../../src/models/sam2/index.js';
import { loadDetector, loadMasker, loadSam2Masker } from '../../src/pretrained/index.js';
import { type NamedArray, readSafetensors, writeSafetensors } from '../../src/weights/formats/index.js';
import { saveCheckpoint } from '../../src/weights/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { fixtureJson, fixturePath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const dir = temporaryFolder('masker');

async function folderOf(name: string, config: unknown, weights?: ReadonlyMap<string, NamedArray>): Promise<string> {
  const folder = join(dir, name);
  await mkdir(folder);
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  if (weights !== undefined) await writeSafetensors(join(folder, 'model.safetensors'), weights);
  return folder;
}

describe('a masker of any kind', () => {
  it('is a SAM where the config.json names one, with the processing of SAM', async () => {
    const parts = await loadMasker(fixturePath('sam-windows'));
    expect(parts.type).toBe('sam');
    expect(parts.imageProcessor.config).toMatchObject({ size: { longest_edge: 80 }, pad_size: { height: 80, width: 80 } });
    parts.model.dispose();
  });

  it('is a SAM 2 where the config.json names one, or the part of a video model for images', async () => {
    const stable = fixturePath('sam2-stable');
    const { arrays } = await readSafetensors(join(stable, 'model.safetensors'));
    const one: NamedArray = { dtype: 'float32', shape: [1], data: Float32Array.of(1) };
    const keys = Object.keys(fixtureJson('sam2-video-keys', 'keys.json') as object).filter((key) => !key.startsWith('vision'));
    const video = new Map([...keys.map((key) => [key, one] as const), ...arrays]);
    const config = fixtureJson('sam2-stable', 'config.json') as object;
    const folder = await folderOf('video', { ...config, model_type: 'sam2_video' }, video);
    const file = join(dir, 'saved.safetensors');
    for (const load of [loadMasker, loadSam2Masker]) {
      for (const path of [stable, folder]) {
        const parts = await load(path);
        expect(parts.type).toBe('sam2');
        expect(parts.imageProcessor.config.size).toEqual({ height: 64, width: 64 });
        await saveCheckpoint(parts.model, file);
        parts.model.dispose();
        expect(Object.fromEntries((await readSafetensors(file)).arrays)).toEqual(Object.fromEntries(arrays));
      }
    }
  });

  it('leaves nothing behind when its weights do not fit', async () => {
    const folder = await folderOf('misfit', fixtureJson('sam-windows', 'config.json'));
    await copyFile(fixturePath('sam-plain', 'model.safetensors'), join(folder, 'model.safetensors'));
    expect(await leakOf(() => loadMasker(folder).catch(() => undefined))).toBe(0);
    await expect(loadMasker(folder)).rejects.toThrow(/model\.safetensors: the weights do not fit the model/);
  });
});

describe('a model of another kind', () => {
  it('is named as what it is', async () => {
    await expect(loadSam2Masker(fixturePath('sam-windows'))).rejects.toThrow(
      /sam-windows\/config\.json: expected model_type sam2 or sam2_video, got sam\./,
    );
    await expect(loadMasker(fixturePath('grounding-dino-four-levels'))).rejects.toThrow(
      /config\.json: expected model_type sam2 or sam2_video or sam, got grounding-dino\./,
    );
  });

  it("is named as what it is in the authors' form too", async () => {
    const file = join(dir, 'medsam.pth');
    await copyFile(fixturePath('sam-authors', 'published.pth'), file);
    await expect(loadDetector(file)).rejects.toThrow(/medsam\.pth: expected model_type .*grounding-dino, got sam\./);
  });

  it('whose shapes leave something open that does not fit asks for its config.json', async () => {
    const file = join(dir, 'narrow.pth');
    await copyFile(fixturePath('sam-authors', 'published.pth'), file);
    await expect(loadMasker(file)).rejects.toThrow(
      /narrow\.pth: mask_decoder_config\.num_attention_heads: expected a divisor .* got 8\. Put its config\.json beside it/,
    );
  });

  it('of a size that was never published asks for its config.json', async () => {
    const folder = join(dir, 'meta');
    await mkdir(folder);
    await copyFile(fixturePath('sam2-authors', 'published.pt'), join(folder, 'published.pt'));
    await expect(loadMasker(folder)).rejects.toThrow(
      'SAM 2 weights without config.json: a backbone of 6 blocks in 4 stages from width 8 is none that was published',
    );
  });

  it('is refused in a sentence where fields of its backbone do not fit each other', () => {
    const backbone_config = { num_attention_heads_per_stage: [7, 1, 1, 1] };
    expect(() => parseSam2Config({ vision_config: { backbone_config } })).toThrow(
      'expected multiples of the numbers of heads, got 96 for 7',
    );
  });
});
