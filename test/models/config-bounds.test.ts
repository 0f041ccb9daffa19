import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadDetector, loadMasker } from '../../src/pretrained/index.js';
import { useBackend } from '../support/backend.js';
import { fixturePath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const dir = temporaryFolder('bounds');

const FOLDERS = {
  detector: 'weights/nano-grounding-dino',
  sam2: 'weights/nano-sam2',
  sam: fixturePath('sam-plain'),
} as const;

/** What is said when a field of a model's file has another value. */
async function complaint(kind: keyof typeof FOLDERS, path: string, value: unknown, name = 'config.json'): Promise<string> {
  const folder = await mkdtemp(join(dir, 'one-'));
  await cp(FOLDERS[kind], folder, { recursive: true });
  const file = join(folder, name);
  const json = JSON.parse(await readFile(file, 'utf8'));
  const steps = path.split('.');
  const last = steps.pop() as string;
  let at = json;
  for (const step of steps) {
    at[step] ??= {};
    at = at[step];
  }
  at[last] = value;
  await writeFile(file, JSON.stringify(json));
  const error = await (kind === 'detector' ? loadDetector(folder) : loadMasker(folder)).then(
    () => new Error('it was read'),
    (thrown: unknown) => thrown as Error,
  );
  expect(error.name).toBe('CheckpointError');
  expect(error.message).toContain(folder);
  return error.message;
}

describe('an untrusted config.json', () => {
  const huge = 1e9;
  it.each<[keyof typeof FOLDERS, string, unknown]>([
    ['detector', 'encoder_layers', huge],
    ['detector', 'decoder_layers', huge],
    ['detector', 'd_model', 32 * huge],
    ['detector', 'num_queries', huge],
    ['detector', 'max_text_len', huge],
    ['detector', 'encoder_attention_heads', 0],
    ['detector', 'num_feature_levels', huge],
    ['detector', 'd_model', '256'],
    ['detector', 'd_model', null],
    ['detector', 'encoder_ffn_dim', -1],
    ['detector', 'text_config.num_hidden_layers', huge],
    ['detector', 'text_config.vocab_size', huge],
    ['detector', 'text_config.hidden_size', 1.5],
    ['detector', 'backbone_config.depths', [2, huge]],
    ['detector', 'backbone_config.depths', Array(100_000).fill(1)],
    ['detector', 'backbone_config.depths', Array(8).fill(200)],
    ['sam2', 'vision_config.backbone_config.hidden_size', 1.5],
    ['detector', 'backbone_config.window_size', huge],
    ['detector', 'backbone_config.image_size', 1e6],
    ['detector', 'backbone_config.embed_dim', { deep: [[[[]]]] }],
    ['sam2', 'vision_config.backbone_config.blocks_per_stage', [1, 1, huge, 1]],
    ['sam2', 'vision_config.backbone_config.hidden_size', huge],
    ['sam2', 'vision_config.backbone_config.window_size_per_stage', [8, 4, huge, 7]],
    ['sam2', 'vision_config.fpn_hidden_size', huge],
    ['sam2', 'prompt_encoder_config.image_size', 1e6],
    ['sam2', 'mask_decoder_config.num_hidden_layers', huge],
    ['sam', 'vision_config.num_hidden_layers', huge],
    ['sam', 'vision_config.image_size', 1e6],
    ['sam', 'vision_config.num_attention_heads', 0],
    ['sam', 'vision_config.mlp_ratio', 1e12],
    ['sam', 'mask_decoder_config.iou_head_depth', huge],
  ])('of a %s with %s = %j is refused, naming the field', async (kind, path, value) => {
    expect(await complaint(kind, path, value)).toContain(path.split('.').at(-1));
  });

  it.each<[string, unknown]>([
    ['model_type', 'x'.repeat(1_000_000)],
    ['model_type', [['a']]],
    ['model_type', '__proto__'],
  ])('without %s is refused briefly', async (path, value) => {
    const message = await complaint('detector', path, value);
    expect(message).toContain('expected model_type');
    expect(message.length).toBeLessThan(1000);
  });

  it.each<[string, unknown]>([
    ['size', { height: 1e6, width: 1e6 }],
    ['size', { shortest_edge: 800, longest_edge: 1e9 }],
    ['image_std', [0, 1, 1]],
    ['image_std', [1e-300, 1, 1]],
    ['pad_size', { height: 1e6, width: 1e6 }],
  ])('with images whose %s is %j is refused', async (path, value) => {
    expect(await complaint('detector', path, value, 'preprocessor_config.json')).toContain(path);
  });
});
