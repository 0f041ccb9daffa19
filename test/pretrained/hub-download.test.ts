import { lstat, mkdir, readdir, readFile, readlink, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { expectError } from '../support/expect-error.js';
import { COMMIT, faults, gitSha1, noise, REPO, sha256 } from '../support/fake-hub.js';
import { HubCase } from '../support/hub.js';

let at: HubCase;
beforeEach(async () => {
  at = await new HubCase().start();
});
afterEach(() => at.stop());

const weights = () => at.hub.content('model.safetensors');
const stored = (name: string) => readFile(join(at.snapshot, name));

async function expectWeights(): Promise<void> {
  expect((await stored('model.safetensors')).equals(weights())).toBe(true);
}

describe('a download', () => {
  it("fills the cache in upstream's layout, with the safetensors and not the pickle", async () => {
    const model = await at.download();
    expect(model).toEqual({ folder: at.snapshot, repo: REPO, commit: COMMIT, files: ['config.json', 'model.safetensors'] });
    expect((await readdir(at.snapshot)).sort()).toEqual(['config.json', 'model.safetensors']);
    const [config, hash] = [gitSha1(at.hub.content('config.json')), sha256(weights())];
    expect((await readdir(at.blobs)).sort()).toEqual([config, hash].sort());
    expect(await readlink(join(at.snapshot, 'config.json'))).toBe(join('..', '..', 'blobs', config));
    expect(await readlink(join(at.snapshot, 'model.safetensors'))).toBe(join('..', '..', 'blobs', hash));
    await expectWeights();
    expect(await readFile(join(at.repoFolder, 'refs', 'main'), 'utf8')).toBe(COMMIT);
    expect(at.eventsOf('resolved')).toEqual([{ kind: 'resolved', repo: REPO, revision: 'main', commit: COMMIT }]);
    const last = at.eventsOf('progress').at(-1);
    expect([last?.done, last?.total]).toEqual([300_022, 300_022]);
  });

  it('asks for no file the second time', async () => {
    await at.download();
    const before = at.hub.fileRequests;
    expect((await at.download()).folder).toBe(at.snapshot);
    expect(at.hub.fileRequests).toBe(before);
    expect(at.eventsOf('cached').map(({ file }) => file)).toEqual(['config.json', 'model.safetensors']);
  });

  it('fetches a file of the cache again that is damaged', async () => {
    await at.download();
    const damaged = Buffer.from(weights());
    damaged[1000] = (damaged[1000] ?? 0) ^ 1;
    await writeFile(join(at.blobs, sha256(weights())), damaged);
    await at.download();
    await expectWeights();
  });

  it('shows a file that another commit has already fetched', async () => {
    await at.download();
    await rm(join(at.repoFolder, 'snapshots'), { recursive: true });
    const before = at.hub.fileRequests;
    await at.download();
    expect(at.hub.fileRequests).toBe(before);
    await expectWeights();
  });

  it('sends the token to the hub and never to the storage host', async () => {
    await at.download(REPO, { env: { HF_TOKEN: 'hf_secret' } });
    expect(new Set(at.hub.hub.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer hf_secret']));
    expect(at.hub.storage.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it('learns sizes and checksums from the headers where the listing is silent', async () => {
    at.hub.edit = ({ sha, siblings }) => ({ sha, siblings: siblings.map(({ rfilename }) => ({ rfilename })) });
    await at.download();
    await expectWeights();
    expect((await readdir(at.blobs)).sort()).toEqual([gitSha1(at.hub.content('config.json')), sha256(weights())].sort());
    // The headers of the hub itself are enough; the storage is asked for the content alone.
    expect(at.hub.storage.map(({ method }) => method)).toEqual(['GET']);
  });

  it('fetches shards with their list, and misses one that the list names', async () => {
    const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    const index = { weight_map: { 'a.weight': shards[0], 'b.weight': shards[1] } };
    at.hub.files.delete('model.safetensors');
    at.hub.files.set('model.safetensors.index.json', Buffer.from(JSON.stringify(index)));
    for (const [i, name] of shards.entries()) at.hub.files.set(name, noise(5000, i));
    expect((await at.download()).files).toEqual(['config.json', 'model.safetensors.index.json', ...shards]);
    at.hub.files.delete(shards[1] ?? '');
    await expectError(at.download(), {
      code: 'E_HUB_NOT_FOUND',
      what: 'expected all shards in the repository, got none named model-00002-of-00002',
    });
  });

  it('takes a pickle when there is nothing better, an empty file, and exactly the files that are wanted', async () => {
    at.hub.files.delete('model.safetensors');
    at.hub.files.set('vocab.txt', Buffer.alloc(0));
    expect((await at.download()).files).toEqual(['config.json', 'vocab.txt', 'pytorch_model.bin']);
    expect(await stored('vocab.txt')).toEqual(Buffer.alloc(0));
    expect((await at.download(REPO, { files: ['README.md'] })).files).toEqual(['README.md']);
    await expectError(at.download(REPO, { files: ['none.md'] }), { code: 'E_HUB_NOT_FOUND', what: 'it has no none.md' });
  });

  it('notes a branch, a tag and the first main, and leaves a main that is there', async () => {
    await at.download(`${REPO}@refs/pr/1`);
    expect(await readFile(join(at.repoFolder, 'refs', 'refs', 'pr', '1'), 'utf8')).toBe(COMMIT);
    await at.download(`${REPO}@${COMMIT}`);
    expect(await readFile(join(at.repoFolder, 'refs', 'main'), 'utf8')).toBe(COMMIT);
    const other = COMMIT.replaceAll('0', 'f');
    await writeFile(join(at.repoFolder, 'refs', 'main'), other);
    await at.download(`${REPO}@${COMMIT}`);
    expect(await readFile(join(at.repoFolder, 'refs', 'main'), 'utf8')).toBe(other);
  });
});

describe('a broken connection', () => {
  /** From which byte the storage was asked each time. */
  const starts = () => at.hub.storage.map(({ range }) => Number(/\d+/.exec(range ?? '0')?.[0]));

  it('is taken up at the byte where it broke', async () => {
    at.hub.faults.storage.push(faults.drop(150_000));
    await at.download();
    const [first, second] = starts();
    expect(first).toBe(0);
    expect(second).toBeGreaterThan(0);
    expect(second).toBeLessThanOrEqual(150_000);
    expect(at.hub.storage[1]?.sent).toBe(300_000 - (second ?? 0));
    await expectWeights();
    expect(at.waits).toEqual([1000]);
    expect(await at.unfinished()).toEqual([]);
  });

  it('may break more often than the limit while it makes progress', async () => {
    for (let i = 0; i < 6; i++) at.hub.faults.storage.push(faults.drop(45_000));
    await at.download(REPO, { pace: { progressBytes: 10_000 } });
    expect(starts()).toHaveLength(7);
    await expectWeights();
  });

  it('is given up after some attempts without progress, and the next run resumes', async () => {
    at.hub.faults.storage.push(faults.drop(90_000), ...Array.from({ length: 5 }, () => faults.drop(0)));
    await expectError(at.download(), {
      code: 'E_HUB_UNREACHABLE',
      where: /some-model\/model\.safetensors/,
      what: /it is needed from .*, but the connection failed/,
    });
    expect(at.waits).toEqual([1000, 2000]);
    expect(await at.unfinished()).toHaveLength(1);
    at.hub.faults.storage.length = 0;
    await at.download();
    expect(starts().at(-1)).toBeGreaterThan(0);
    expect(at.eventsOf('fetching').at(-1)?.from).toBe(starts().at(-1));
    await expectWeights();
    expect(await at.unfinished()).toEqual([]);
  });

  it('may be silent only for a while', async () => {
    at.hub.faults.storage.push(faults.stall(80_000));
    // On a busy machine what is not silent may seem so: that only makes for more attempts.
    await at.download(REPO, { pace: { silenceMs: 100, attempts: Number.POSITIVE_INFINITY } });
    expect(starts().length).toBeGreaterThan(1);
    await expectWeights();
  });

  it('restarts with a server that ignores ranges', async () => {
    at.hub.faults.storage.push(faults.drop(150_000), faults.ignoreRange);
    await at.download();
    expect(starts()).toHaveLength(2);
    await expectWeights();
  });

  it('restarts once when the earlier part was damaged', async () => {
    await at.download();
    await rm(join(at.blobs, sha256(weights())));
    await writeFile(join(at.blobs, `${sha256(weights())}.other-host.0.abcd.incomplete`), noise(200_000, 9));
    await at.download();
    expect(starts().slice(-2)).toEqual([200_000, 0]);
    await expectWeights();
  });
});

describe('two at once', () => {
  const partial = (pid: number) =>
    join(
      at.blobs,
      `${sha256(weights())}.${hostname()
        .replace(/[^\w-]/g, '_')
        .slice(0, 40)}.${pid}.abcd.incomplete`,
    );

  it('both end with the whole file', async () => {
    const models = await Promise.all([at.download(), at.download(), at.download()]);
    expect(models.map(({ folder }) => folder)).toEqual([at.snapshot, at.snapshot, at.snapshot]);
    await expectWeights();
    expect(await at.unfinished()).toEqual([]);
  });

  it('waits for the other process, and continues its part when it dies', async () => {
    await mkdir(at.blobs, { recursive: true });
    // The parent of this process lives, and writes nothing.
    await writeFile(partial(process.ppid), weights().subarray(0, 100_000));
    let polls = 0;
    const sleep = async () => {
      const old = new Date(Date.now() - 3_600_000);
      if (++polls === 3) await utimes(partial(process.ppid), old, old);
    };
    await at.download(REPO, { pace: { sleep } });
    expect(polls).toBe(3);
    expect(at.eventsOf('waiting')).toHaveLength(1);
    expect(at.hub.storage.map(({ range }) => range)).toEqual(['bytes=100000-']);
    await expectWeights();
  });

  it('takes over the part of a dead process at once', async () => {
    await mkdir(at.blobs, { recursive: true });
    await writeFile(partial(0x7ffffffe), weights().subarray(0, 250_000));
    await at.download();
    expect(at.eventsOf('waiting')).toHaveLength(0);
    expect(at.hub.storage.map(({ range }) => range)).toEqual(['bytes=250000-']);
  });

  it('uses what the other has finished', async () => {
    await mkdir(at.blobs, { recursive: true });
    await writeFile(partial(process.ppid), '');
    const sleep = () => writeFile(join(at.blobs, sha256(weights())), weights());
    await at.download(REPO, { pace: { sleep } });
    expect(at.hub.storage).toHaveLength(0);
    expect((await lstat(join(at.snapshot, 'model.safetensors'))).isSymbolicLink()).toBe(true);
  });
});
