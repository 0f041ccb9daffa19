import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseModelName } from '../../src/pretrained/hub/index.js';
import { tokenizerFolder } from '../../src/pretrained/tokenizer-folder.js';
import { expectError } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const root = temporaryFolder('tokenizers');
const weights = join(root, 'weights');
const clip = { files: ['tokenizer.json', 'merges.txt'], download: 'clip-tokenizer' } as const;
const before = process.env['HF_HUB_CACHE'];

beforeAll(async () => {
  process.env['HF_HUB_CACHE'] = join(root, 'cache');
  await mkdir(weights);
});
afterAll(() => {
  if (before === undefined) delete process.env['HF_HUB_CACHE'];
  else process.env['HF_HUB_CACHE'] = before;
});

/** Puts a file into the cache, at a commit. */
async function cache(name: string, commit: string, file: string): Promise<string> {
  const folder = join(root, 'cache', `models--${parseModelName(name).repo.replace('/', '--')}`);
  const snapshot = join(folder, 'snapshots', commit);
  await mkdir(snapshot, { recursive: true });
  await mkdir(join(folder, 'refs'), { recursive: true });
  await writeFile(join(folder, 'refs', 'main'), commit);
  await writeFile(join(snapshot, file), '');
  return snapshot;
}

describe('the tokenizer of weights that are published without one', () => {
  it('is named, with its repository and its download, where there is none', () =>
    expectError(tokenizerFolder(weights, clip), {
      code: 'E_TOKENIZER_MISSING',
      where: 'weights',
      what: 'there is neither tokenizer.json nor merges.txt beside the weights, and no clip-tokenizer in the cache',
      fix: 'openai/clip-vit-base-patch32',
    }));

  it('is the downloaded one, of another commit if Python downloaded that, and without any weights', async () => {
    const other = await cache('clip-tokenizer', 'f'.repeat(40), 'tokenizer.json');
    expect(await tokenizerFolder(weights, clip)).toBe(other);
    const pinned = await cache('clip-tokenizer', parseModelName('clip-tokenizer').revision, 'merges.txt');
    expect(await tokenizerFolder(weights, clip)).toBe(pinned);
  });

  it('is the one beside the weights before any other', async () => {
    await writeFile(join(weights, 'merges.txt'), '');
    expect(await tokenizerFolder(weights, clip)).toBe(weights);
  });

  it('is not another file of the same repository', async () => {
    await cache('biomedclip', 'e'.repeat(40), 'config.json');
    const bert = { files: ['tokenizer.json', 'vocab.txt'], download: 'biomedclip' } as const;
    await expectError(tokenizerFolder(weights, bert), { code: 'E_TOKENIZER_MISSING', what: 'vocab.txt' });
  });
});
