import { mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readableDiskError, requireSpace } from '../../src/pretrained/hub/disk.js';
import { HubError } from '../../src/pretrained/hub/index.js';
import { SonogroundError } from '../../src/util/index.js';
import { expectError } from '../support/expect-error.js';
import { COMMIT, type Fault, faults, noise, REPO, sha256 } from '../support/fake-hub.js';
import { HubCase } from '../support/hub.js';

let at: HubCase;
beforeEach(async () => {
  at = await new HubCase().start();
});
afterEach(() => at.stop());

/** The one line that a person sees. */
async function refusal(act: Promise<unknown>): Promise<string> {
  const error = await act.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(SonogroundError);
  const { message } = error as Error;
  expect(message).not.toContain('\n');
  return message;
}

/** Whether any of the weights has got a name in the cache. */
async function weightsAreThere(): Promise<boolean> {
  const names = await readdir(at.root, { recursive: true });
  return names.some((name) => name.endsWith('model.safetensors') || name.endsWith(sha256(at.hub.content('model.safetensors'))));
}

describe('a server that lies', () => {
  const whole = noise(300_000);
  const lies: [name: string, answers: Fault[], said: RegExp][] = [
    ['too short', [faults.body(whole.subarray(0, 1000))], /expected 300000 bytes as in the listing, got an answer of 1000 bytes/],
    ['too long', [faults.body(noise(300_001))], /expected 300000 bytes as in the listing, got an answer of 300001 bytes/],
    [
      'too long without a length',
      [faults.chunked(noise(400_000))],
      /expected 300000 bytes as in the listing, got more than that/,
    ],
    [
      'another total',
      [faults.drop(1000), faults.range('bytes 1000-299999/999999')],
      /expected bytes 1000-299999\/300000, got Content-Range "bytes 1000-299999\/999999"/,
    ],
    ['another range', [faults.drop(1000), faults.range('bytes 0-299999/300000')], /expected bytes 1000-299999\/300000/],
    ['a range of nothing', [faults.drop(1000), faults.range('everything')], /got Content-Range "everything"/],
  ];

  it.each(lies)('%s', async (_name, answers, said) => {
    at.hub.faults.storage.push(...answers);
    const message = await refusal(at.download());
    expect(message).toMatch(said);
    expect(message).toContain('owner/some-model/model.safetensors: ');
    expect(message).toContain('use another HF_ENDPOINT');
    expect(await weightsAreThere()).toBe(false);
  });

  it('too short without a length, forever', async () => {
    at.hub.faults.storage.push(
      faults.chunked(whole.subarray(0, 1000)),
      ...Array.from({ length: 4 }, () => faults.chunked(Buffer.alloc(0))),
    );
    expect(await refusal(at.download())).toMatch(/expected 300000 bytes as in the listing, got 0, then the end/);
    expect(at.waits).toHaveLength(2);
  });

  it('says that a range which must be there is not', async () => {
    at.hub.faults.storage.push(faults.drop(1000), faults.status(416));
    await at.download();
    expect(at.hub.storage.map(({ range }) => range)).toEqual([undefined, 'bytes=1000-', undefined]);
  });

  it('about the content: once more from the start, then no more', async () => {
    at.hub.faults.storage.push(faults.body(noise(300_000, 7)), faults.body(noise(300_000, 8)));
    const message = await refusal(at.download());
    expect(message).toContain(`expected the checksum ${sha256(at.hub.content('model.safetensors'))}, got `);
    expect(at.hub.storage.map(({ range }) => range)).toEqual([undefined, undefined]);
    expect(await at.unfinished()).toEqual([]);
    expect(await weightsAreThere()).toBe(false);
    at.hub.faults.storage.push(faults.body(noise(300_000, 7)));
    await at.download();
    expect(await weightsAreThere()).toBe(true);
  });

  it('about a small file', async () => {
    at.hub.faults.hub.push(
      faults.body(Buffer.from('{"model_type": "evil"}')),
      faults.body(Buffer.from('{"model_type": "evil"}')),
    );
    expect(await refusal(at.download())).toMatch(/config\.json: expected the checksum [0-9a-f]{40}, got [0-9a-f]{40}, twice/);
  });

  it('about the commit, the listing or the etag', async () => {
    expect(await refusal(at.download(`${REPO}@${COMMIT.replaceAll('0', 'a')}`))).toMatch(
      /expected the listing of commit a1.*, got 01/,
    );
    at.hub.edit = () => ({ sha: '../../evil', siblings: [] });
    expect(await refusal(at.download())).toMatch(/expected a listing of files from .*sha/);
    at.hub.faults.listing.push(faults.body(Buffer.from('<html>Please log in</html>')));
    expect(await refusal(at.download())).toMatch(/but it is not JSON\. Check HF_ENDPOINT, and whether a login page/);
    at.hub.edit = (listing) => ({ ...listing, siblings: [{ rfilename: 'model.safetensors', size: 5, blobId: '../../x' }] });
    at.hub.faults.hub.push(faults.status(200, { etag: '"../../x"', 'content-length': '5' }));
    expect(await refusal(at.download())).toMatch(/expected its size and checksum, the server tells/);
  });

  it('about where a file is', async () => {
    at.hub.faults.hub.push(faults.status(302, { location: 'file:///etc/passwd' }));
    expect(await refusal(at.download())).toMatch(/expected a redirect to http: or https:\/\/…, got "file:\/\/\/etc\/passwd"/);
    at.hub.faults.hub.push(...Array.from({ length: 9 }, () => faults.status(302, { location: '/again' })));
    expect(await refusal(at.download())).toMatch(/got more than 5 redirects/);
  });
});

describe('a name that leaves its folder', () => {
  const names = ['/etc/passwd', '../x', 'a/../../x', 'a\\..\\x', 'C:\\x', 'C:x', 'a\0b', 'a//b', './a', 'a/', '', 'a\nb'];
  it.each(names)('%j', async (rfilename) => {
    at.hub.edit = (listing) => ({ ...listing, siblings: [...listing.siblings, { rfilename, size: 1, blobId: COMMIT }] });
    expect(await refusal(at.download())).toContain(JSON.stringify(rfilename));
    expect(await readdir(at.root)).toEqual([]);
    expect(at.hub.fileRequests).toBe(0);
  });

  const models = [
    '',
    'none',
    '../x',
    'a/b/c',
    '/a/b',
    'a/..',
    'a--b/c',
    'a/b.git',
    '.a/b',
    'a/b@',
    'a/b@../x',
    'a/b@x\\y',
    'a/b@/x',
    'a b/c',
    'a/b?x',
  ];
  it.each(models)('model %j', async (name) => {
    expect(await refusal(at.download(name))).toMatch(/known name|expected owner\/repo|expected a commit, branch or tag/);
    expect(at.hub.hub).toEqual([]);
  });
});

describe('a refusal', () => {
  it('401 of a gated repository says how to get in', async () => {
    at.hub.faults.listing.push(faults.status(401, { 'x-error-code': 'GatedRepo' }));
    const message = await refusal(at.download());
    expect(message).toContain('it is gated or private, got 401');
    expect(message).toContain('without a token');
    expect(message).toContain(`Ask for access at ${at.hub.endpoint}/${REPO}, then give a token of yours: HF_TOKEN=hf_…`);
    at.hub.faults.listing.push(faults.status(403));
    expect(await refusal(at.download(REPO, { env: { HF_TOKEN: 'hf_x' } }))).toContain('got 403');
  });

  it('401 of a file, and 401 of what may not exist', async () => {
    at.hub.faults.hub.push(faults.status(401, { 'x-error-code': 'GatedRepo' }));
    expect(await refusal(at.download())).toContain('owner/some-model/config.json: it is gated or private');
    at.hub.faults.listing.push(faults.status(401, { 'x-error-code': 'RepoNotFound' }));
    expect(await refusal(at.download())).toContain('it does not exist, or is private');
  });

  it('404', async () => {
    at.hub.faults.listing.push(faults.status(404, { 'x-error-code': 'RevisionNotFound' }));
    expect(await refusal(at.download(`${REPO}@nope`))).toContain('there is no such revision, got 404');
    at.hub.faults.listing.push(faults.status(404));
    expect(await refusal(at.download())).toContain('it does not exist, got 404');
    at.hub.edit = ({ sha, siblings }) => ({
      sha,
      siblings: siblings.map((file) => (file.rfilename === 'config.json' ? { ...file, rfilename: 'vocab.txt' } : file)),
    });
    expect(await refusal(at.download())).toContain('owner/some-model/vocab.txt: there is no such file, got 404');
    expect(at.waits).toEqual([]);
  });

  it('429 is waited for as long as it asks, in reason', async () => {
    at.hub.faults.listing.push(faults.status(429, { 'retry-after': '7' }));
    at.hub.faults.storage.push(faults.status(503), faults.status(500));
    await at.download();
    expect(at.waits).toEqual([7000, 1000, 2000]);
    await rm(at.cacheDir, { recursive: true });
    at.hub.faults.listing.push(faults.status(429, { 'retry-after': '3600' }));
    const message = await refusal(at.download());
    expect(message).toMatch(/got 429 from .*, which asks to wait 3600 s\. Wait and run it again; a token/);
    expect(at.waits).toHaveLength(3);
  });

  it('5xx forever', async () => {
    at.hub.faults.storage.push(...Array.from({ length: 9 }, () => faults.status(502)));
    expect(await refusal(at.download())).toContain(`got 502 from ${at.hub.storageOrigin}. Wait and run it again`);
    expect(at.hub.storage).toHaveLength(3);
  });

  it('403 of the storage asks the hub for a fresh address', async () => {
    at.hub.faults.storage.push(faults.status(403));
    await at.download();
    expect(at.hub.hub.filter(({ path }) => path.endsWith('model.safetensors'))).toHaveLength(2);
  });

  it('nothing that may be a model', async () => {
    at.hub.files = new Map([['README.md', Buffer.from('x')]]);
    expect(await refusal(at.download())).toContain('expected weights (model.safetensors), got README.md');
    at.hub.files = new Map(['a.pth', 'b.pth'].map((name) => [name, Buffer.from('x')]));
    expect(await refusal(at.download())).toContain('several files may be its weights: a.pth, b.pth. Name the files with --file');
  });
});

describe('without a network', () => {
  it.each([
    ['refused', 'a port where nobody listens', 'it refuses the connection'],
    ['no such name', 'http://hub.invalid', 'its name '],
  ])('%s', async (_name, address, said) => {
    const endpoint = address.startsWith('http') ? address : at.hub.endpoint;
    if (endpoint === at.hub.endpoint) at.hub.stop();
    const message = await refusal(at.download(REPO, { env: { HF_ENDPOINT: endpoint } }));
    expect(message).toContain(`${REPO}: it is needed from ${endpoint}, but ${said}`);
    expect(message).toMatch(/set HF_ENDPOINT to a mirror, or copy the model’s files here by hand/);
    expect(await readdir(at.root)).toEqual([]);
    expect(at.waits).toEqual([]);
  });

  it('silence', async () => {
    at.hub.faults.listing.push(() => {});
    expect(await refusal(at.download(REPO, { pace: { silenceMs: 50 } }))).toContain('but it does not answer');
    expect(await readdir(at.root)).toEqual([]);
  });

  it('HF_HUB_OFFLINE asks nobody', async () => {
    expect(await refusal(at.download(REPO, { env: { HF_HUB_OFFLINE: '1' } }))).toContain('but HF_HUB_OFFLINE is set');
    expect(at.hub.hub).toEqual([]);
  });

  it('uses a whole copy in the cache, and no part of one', async () => {
    const { folder } = await at.download();
    expect((await at.download(REPO, { env: { HF_HUB_OFFLINE: '1' } })).folder).toBe(folder);
    const nowhere = { HF_ENDPOINT: at.hub.endpoint };
    at.hub.stop();
    expect((await at.download(REPO, { env: nowhere })).files).toEqual(['config.json', 'model.safetensors']);
    expect(at.eventsOf('cache-only')).toHaveLength(2);
    await rm(join(at.blobs, sha256(at.hub.content('model.safetensors'))));
    expect(await refusal(at.download(REPO, { env: nowhere }))).toContain('it refuses the connection');
  });
});

describe('the disk', () => {
  it('may not be written', async () => {
    await mkdir(at.root, { recursive: true });
    await writeFile(at.cacheDir, 'a file');
    expect(await refusal(at.download())).toMatch(
      /cache.*: a part of the path is a file, not a folder\. Let HF_HUB_CACHE name another/,
    );
  });

  it.each([
    ['ENOSPC', 'the disk is full'],
    ['EACCES', 'it may not be written'],
    ['EROFS', 'the file system is read-only'],
  ])('%s', (code, said) => {
    const error = readableDiskError(Object.assign(new Error(code), { code, path: '/cache/x' }), '/cache');
    expect(error).toBeInstanceOf(HubError);
    expect((error as HubError).message).toContain(`/cache/x: ${said}. `);
  });

  /** Lets the listing say that the weights are so large. */
  function claimSize(size: number): void {
    at.hub.edit = (listing) => ({
      ...listing,
      siblings: listing.siblings.map((file) => (file.lfs === undefined ? file : { ...file, lfs: { ...file.lfs, size } })),
    });
  }

  it('is asked for room before anything is fetched', async () => {
    await expectError(requireSpace(at.root, Number.MAX_SAFE_INTEGER), {
      code: 'E_DISK_FULL',
      what: /expected \d+ MB of free space, got \d+ MB/,
    });
    await requireSpace(at.root, 1);
    claimSize(Number.MAX_SAFE_INTEGER - 1e6);
    expect(await refusal(at.download())).toContain('MB of free space');
    expect(at.hub.fileRequests).toBe(0);
  });

  it('needs no room for what an earlier run has fetched', async () => {
    claimSize(4e12);
    await mkdir(at.blobs, { recursive: true });
    const partial = join(at.blobs, `${sha256(at.hub.content('model.safetensors'))}.other-host.0.abcd.incomplete`);
    await writeFile(partial, '');
    // Sparse: it takes no room itself.
    await truncate(partial, 4e12 - 1000);
    at.hub.faults.storage.push(faults.status(404));
    expect(await refusal(at.download())).toContain('got 404');
    expect(at.hub.storage.map(({ range }) => range)).toEqual(['bytes=3999999999000-']);
  });
});

describe('a listing', () => {
  it('without an end is not read to its end', async () => {
    let sent = 0;
    const endless: Fault = (_request, response) => {
      const piece = Buffer.alloc(2 ** 20, ' ');
      const more = () => {
        // Each piece goes out when the one before has been taken.
        while (!response.destroyed && response.write(piece)) sent += 1;
        sent += 1;
      };
      response.on('drain', more);
      more();
    };
    at.hub.faults.listing.push(endless);
    expect(await refusal(at.download())).toContain('owner/some-model: its listing of files has more than 32 MB');
    expect(sent).toBeLessThan(128);
    expect(at.waits).toEqual([]);
  });

  it('of more files than any model has is refused', async () => {
    const siblings = Array.from({ length: 100_001 }, (_, i) => ({ rfilename: `${i}` }));
    at.hub.edit = (listing) => ({ ...listing, siblings });
    expect(await refusal(at.download())).toContain('its listing of files has 100001 entries');
  });
});

describe('a token', () => {
  it.each(['http://hub.invalid', 'http://192.0.2.1:8080', 'http://localhost.invalid', 'http://127.0.0.1.invalid'])(
    'is not sent to %s unencrypted',
    async (endpoint) => {
      const { host } = new URL(endpoint);
      const env = { HF_ENDPOINT: endpoint, HF_TOKEN: 'hf_secret' };
      const message = await refusal(at.download(REPO, { env }));
      expect(message).toContain(`HF_ENDPOINT: the token would go to ${host} over plain http`);
      expect(message).not.toContain('hf_secret');
    },
  );

  it('goes in the clear to this machine alone, by any of its names', async () => {
    const { port } = new URL(at.hub.endpoint);
    for (const host of ['127.0.0.1', 'localhost']) {
      at.hub.hub.length = 0;
      await at.download(REPO, { env: { HF_ENDPOINT: `http://${host}:${port}`, HF_TOKEN: 'hf_secret' } });
      expect(at.hub.hub[0]?.authorization).toBe('Bearer hf_secret');
    }
  });
});
