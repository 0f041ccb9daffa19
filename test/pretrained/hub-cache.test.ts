import { link, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { place, snapshotWays } from '../../src/pretrained/hub/disk.js';
import { exportFiles, hubSettings, knownModels, parseModelName, resolveModelDirectory } from '../../src/pretrained/hub/index.js';
import { expectError } from '../support/expect-error.js';
import { COMMIT, REPO } from '../support/fake-hub.js';
import { HubCase } from '../support/hub.js';

let at: HubCase;
beforeEach(async () => {
  at = await new HubCase().start();
});
afterEach(() => at.stop());

describe('settings', () => {
  const cacheOf = async (env: Record<string, string>) => (await hubSettings({ HOME: '/home/me', ...env })).cacheDir;

  it("find the cache in upstream's order", async () => {
    const all = { HF_HUB_CACHE: '/a', HUGGINGFACE_HUB_CACHE: '/b', HF_HOME: '/c', XDG_CACHE_HOME: '/d' };
    const { HF_HUB_CACHE: _a, ...noA } = all;
    const { HUGGINGFACE_HUB_CACHE: _b, ...noB } = noA;
    const { HF_HOME: _c, ...noC } = noB;
    expect(await Promise.all([all, noA, noB, noC, {}].map(cacheOf))).toEqual([
      '/a',
      '/b',
      '/c/hub',
      '/d/huggingface/hub',
      '/home/me/.cache/huggingface/hub',
    ]);
    expect(await cacheOf({ HF_HOME: '~/hf', HF_HUB_CACHE: '' })).toBe('/home/me/hf/hub');
    expect(await cacheOf({ HF_HUB_CACHE: '$ROOM/hub', ROOM: '/room' })).toBe('/room/hub');
  });

  it('find the token in the environment, then in the file', async () => {
    await writeFile(join(at.root, 'token'), 'hf_file\n');
    const tokenOf = async (env: Record<string, string>) => (await hubSettings({ HF_HOME: at.root, ...env })).token;
    expect(await tokenOf({})).toBe('hf_file');
    expect(await tokenOf({ HF_TOKEN: 'hf_env' })).toBe('hf_env');
    expect(await tokenOf({ HF_TOKEN_PATH: join(at.root, 'none') })).toBeUndefined();
    expect(await tokenOf({ HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' })).toBeUndefined();
  });

  it('refuse an invalid endpoint', async () => {
    expect((await hubSettings({})).endpoint).toBe('https://huggingface.co');
    expect((await hubSettings({ HF_ENDPOINT: 'https://mirror.example/hf/' })).endpoint).toBe('https://mirror.example/hf');
    await expectError(hubSettings({ HF_ENDPOINT: 'mirror' }), {
      code: 'E_ENVIRONMENT',
      where: 'HF_ENDPOINT',
      what: 'expected an address, got "mirror"',
    });
  });
});

describe('names', () => {
  it('know their repositories, each at a commit or at main', () => {
    for (const [name, { repo, commit, file, beside }] of Object.entries(knownModels)) {
      expect(parseModelName(name)).toEqual({
        label: name,
        repo,
        revision: commit ?? 'main',
        ...(file && { file }),
        ...(beside && { beside }),
      });
      expect(parseModelName(`${repo}@${commit ?? 'main'}`).repo).toBe(repo);
      if (commit !== undefined) expect(commit).toMatch(/^[0-9a-f]{40}$/);
    }
    expect(parseModelName('grounding-dino-tiny@main').revision).toBe('main');
    expect(parseModelName('owner/repo').revision).toBe('main');
    expectError(() => parseModelName('grounding-dino-tny'), {
      code: 'E_MODEL_NAME',
      where: 'grounding-dino-tny',
      what: 'did you mean grounding-dino-tiny?',
    });
  });
});

describe('resolveModelDirectory', () => {
  it('leaves a folder alone', async () => {
    expect(await resolveModelDirectory(at.root)).toBe(at.root);
  });

  it('gives what was downloaded', async () => {
    const settings = await at.settings();
    await expectError(resolveModelDirectory(REPO, settings), { code: 'E_MODEL_NOT_DOWNLOADED', where: REPO });
    await at.download();
    expect(await resolveModelDirectory(REPO, settings)).toBe(at.snapshot);
    expect(await resolveModelDirectory(`${REPO}@${COMMIT}`, settings)).toBe(at.snapshot);
    await expectError(resolveModelDirectory(`${REPO}@other`, settings), { code: 'E_MODEL_NOT_DOWNLOADED' });
  });

  it('gives what Python downloaded: a branch at another commit than ours, and files in place of links', async () => {
    const repo = join(at.cacheDir, 'models--facebook--sam2.1-hiera-tiny');
    const folder = join(repo, 'snapshots', COMMIT);
    await mkdir(join(repo, 'refs'), { recursive: true });
    await mkdir(folder, { recursive: true });
    await writeFile(join(repo, 'refs', 'main'), COMMIT);
    const settings = await at.settings();
    await writeFile(join(folder, 'config.json'), '{}');
    await expectError(resolveModelDirectory('sam2.1-hiera-tiny', settings), {
      code: 'E_MODEL_NOT_DOWNLOADED',
      where: 'sam2.1-hiera-tiny',
    });
    await symlink('../../blobs/none', join(folder, 'model.safetensors'));
    await expectError(resolveModelDirectory('sam2.1-hiera-tiny', settings), {
      code: 'E_MODEL_NOT_DOWNLOADED',
      where: 'sam2.1-hiera-tiny',
    });
    await mkdir(join(repo, 'blobs'));
    await writeFile(join(repo, 'blobs', 'none'), 'weights');
    expect(await resolveModelDirectory('sam2.1-hiera-tiny', settings)).toBe(folder);
    expect(await resolveModelDirectory('facebook/sam2.1-hiera-tiny', settings)).toBe(folder);
  });

  it('wants all shards', async () => {
    const settings = await at.settings();
    await mkdir(join(at.repoFolder, 'refs'), { recursive: true });
    await mkdir(at.snapshot, { recursive: true });
    await writeFile(join(at.repoFolder, 'refs', 'main'), `${COMMIT}\n`);
    const shards = [1, 2].map((i) => `model-0000${i}-of-00002.safetensors`);
    await writeFile(join(at.snapshot, shards[0] ?? ''), 'x');
    await expectError(resolveModelDirectory(REPO, settings), { code: 'E_MODEL_NOT_DOWNLOADED' });
    const map = JSON.stringify({ weight_map: { a: shards[0], b: shards[1] } });
    await writeFile(join(at.snapshot, 'model.safetensors.index.json'), map);
    await expectError(resolveModelDirectory(REPO, settings), { code: 'E_MODEL_NOT_DOWNLOADED' });
    await writeFile(join(at.snapshot, shards[1] ?? ''), 'x');
    expect(await resolveModelDirectory(REPO, settings)).toBe(at.snapshot);
  });

  it('reports a path that is neither a folder nor a known name', async () => {
    await expectError(resolveModelDirectory('./nowhere'), {
      code: 'E_MODEL_NOT_FOUND',
      what: 'there is no such folder, and expected owner/repo',
    });
    await expectError(resolveModelDirectory('nowhere'), {
      code: 'E_MODEL_NOT_FOUND',
      where: 'nowhere',
      what: 'there is no such folder, and it is no known name',
    });
  });
});

describe('files', () => {
  const failing = () => Promise.reject(Object.assign(new Error('no links here'), { code: 'EPERM' }));

  it('are copied where links are impossible', async () => {
    await writeFile(join(at.root, 'blob'), 'content');
    const copy = snapshotWays[2] ?? failing;
    for (const ways of [snapshotWays, [failing, link], [failing, failing, copy]]) {
      const path = join(at.root, 'snapshots', 'x', 'file');
      await place(join(at.root, 'blob'), path, ways);
      expect(await readFile(path, 'utf8')).toBe('content');
      expect((await lstat(path)).isSymbolicLink()).toBe(ways === snapshotWays);
      expect(await readdir(join(at.root, 'snapshots', 'x'))).toEqual(['file']);
    }
    await expect(place(join(at.root, 'blob'), join(at.root, 'file'), [failing])).rejects.toThrow('no links here');
  });

  it('are put into a plain folder, large ones without a second copy, and nothing is overwritten', async () => {
    at.hub.files.set('model.safetensors', Buffer.alloc((16 << 20) + 1, 7));
    const model = await at.download();
    const to = join(at.root, 'plain');
    await exportFiles(model, to);
    expect((await readdir(to)).sort()).toEqual(['config.json', 'model.safetensors']);
    expect((await lstat(join(to, 'model.safetensors'))).isSymbolicLink()).toBe(false);
    expect((await stat(join(to, 'model.safetensors'))).nlink).toBe(2);
    expect((await stat(join(to, 'config.json'))).nlink).toBe(1);
    await exportFiles(model, to);
    await writeFile(join(to, 'config.json'), 'mine');
    await expectError(exportFiles(model, to), { code: 'E_OUTPUT_EXISTS', what: 'another file of this name is there' });
    expect(await readFile(join(to, 'config.json'), 'utf8')).toBe('mine');
  });
});
