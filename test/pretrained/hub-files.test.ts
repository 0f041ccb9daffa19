import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  downloadFile,
  type HubEvent,
  type HubSettings,
  hubSettings,
  parseFileName,
  resolveModelDirectory,
} from '../../src/pretrained/hub/index.js';
import { expectError } from '../support/expect-error.js';
import { faults, noise, sha256 } from '../support/fake-hub.js';
import { FileHost } from '../support/file-host.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const root = temporaryFolder('files');
const GITHUB = 'github:JJGO/UniverSeg@weights/universeg_v1_nf64_ss64_STA.pt';
const GDRIVE = 'gdrive:0123456789abcdef/samus.pth';
const content = noise(300_000, 7);

let host: FileHost;
let settings: HubSettings;
let events: HubEvent[];
let cases = 0;

beforeEach(async () => {
  host = await new FileHost().start();
  host.files.set('/JJGO/UniverSeg/releases/download/weights/universeg_v1_nf64_ss64_STA.pt', content);
  host.files.set('/download?id=0123456789abcdef&export=download&confirm=t', content);
  Object.assign(process.env, { SONOGROUND_GITHUB: host.origin, SONOGROUND_GDRIVE: host.origin });
  events = [];
  settings = await hubSettings({ HF_HUB_CACHE: join(root, String(cases++)), HF_TOKEN: 'hf_secret', HOME: root });
});
afterEach(() => {
  host.stop();
  delete process.env['SONOGROUND_GITHUB'];
  delete process.env['SONOGROUND_GDRIVE'];
});

function download(name: string, own: { sha256?: string; settings?: HubSettings } = {}) {
  const pace = { silenceMs: 900_000, attempts: 3, progressBytes: 100_000, pollMs: 5, sleep: async () => {} };
  return downloadFile(name, { settings, pace, report: (event) => events.push(event), ...own });
}

describe('a file of another host', () => {
  it.each([GITHUB, 'universeg', GDRIVE])('%s is reported with its size and unverified hash', async (name) => {
    const { path, ...rest } = await download(name);
    expect(rest).toEqual({ bytes: 300_000, sha256: sha256(content), verified: false });
    expect((await readFile(path)).equals(content)).toBe(true);
    expect(await readFile(`${path}.sha256`, 'utf8')).toBe(`${sha256(content)}  ${path.split('/').at(-1)}\n`);
    expect((await readdir(join(path, '..'))).filter((one) => one.endsWith('.incomplete'))).toEqual([]);
    // The token is the hub's.
    expect(new Set(host.requests.map(({ authorization }) => authorization))).toEqual(new Set([undefined]));
  });

  it('is verified by a hash that the caller gives, in any case, and is not kept with another', async () => {
    expect((await download(GDRIVE, { sha256: sha256(content).toUpperCase() })).verified).toBe(true);
    const other = await hubSettings({ HF_HUB_CACHE: join(root, 'wrong'), HOME: root });
    await expectError(download(GDRIVE, { sha256: 'a'.repeat(64), settings: other }), {
      code: 'E_HUB_CHECKSUM',
      what: `expected the SHA-256 ${'a'.repeat(64)}, got ${sha256(content)}`,
      fix: 'thrown away',
    });
    const left = await readdir(join(root, 'wrong'), { recursive: true });
    expect(left.filter((name) => /samus|incomplete/.test(name))).toEqual([]);
    await expectError(download(GDRIVE, { sha256: 'abc' }), { code: 'E_OPTION_VALUE', where: 'sha256' });
  });

  it('is not fetched again, but checked: against the hash that it had, and the one that is given', async () => {
    const { path } = await download(GDRIVE);
    const before = host.requests.length;
    expect((await download(GDRIVE)).sha256).toBe(sha256(content));
    expect((await download(GDRIVE, { sha256: sha256(content) })).verified).toBe(true);
    await expectError(download(GDRIVE, { sha256: 'b'.repeat(64) }), { code: 'E_HUB_CHECKSUM', where: 'samus.pth' });
    await writeFile(path, noise(300_000, 8));
    await expectError(download(GDRIVE), { code: 'E_HUB_CHECKSUM', fix: 'Delete it' });
    expect(host.requests).toHaveLength(before);
  });

  it('is taken up where a connection broke', async () => {
    // The first answer tells the size.
    const right = (_request: unknown, response: import('node:http').ServerResponse) =>
      void response.writeHead(200, { 'content-length': content.length, 'content-type': 'application/octet-stream' }).end(content);
    host.faults.push(right, faults.drop(150_000));
    const { path } = await download(GDRIVE);
    expect((await readFile(path)).equals(content)).toBe(true);
    expect(Number(/\d+/.exec(host.requests.at(-1)?.range ?? '')?.[0])).toBeGreaterThan(0);
    expect(events.filter(({ kind }) => kind === 'retry')).toHaveLength(1);
  });

  it('that is a page, is missing or has no size is named as such', async () => {
    host.faults.push(
      (_request, response) => void response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<html>quota'),
    );
    await expectError(download(GDRIVE), { code: 'E_HUB_ANSWER', what: 'gives a page in place of the file' });
    await expectError(download('gdrive:aaaaaaaaaaaa/none.pth'), { code: 'E_HUB_NOT_FOUND', what: '404' });
    host.faults.push((_request, response) => void response.writeHead(403).end());
    await expectError(download(GDRIVE), { code: 'E_HUB_DENIED', what: 'not shared with everybody' });
    host.faults.push((_request, response) => void response.writeHead(200, { 'transfer-encoding': 'chunked' }).end('x'));
    await expectError(download(GDRIVE), { code: 'E_HUB_ANSWER', what: 'does not state the size' });
  });

  it('without a network, or with HF_HUB_OFFLINE, is an error that names the cause; cached models still load', async () => {
    const offline = { ...settings, offline: true };
    await expectError(download(GDRIVE, { settings: offline }), { code: 'E_HUB_OFFLINE' });
    await download(GDRIVE);
    expect((await download(GDRIVE, { settings: offline })).bytes).toBe(300_000);
    host.stop();
    await expectError(download('universeg'), {
      code: 'E_HUB_UNREACHABLE',
      what: 'refuses the connection',
      fix: 'SONOGROUND_GITHUB',
    });
    process.env['SONOGROUND_GDRIVE'] = 'not an address';
    await expectError(download('gdrive:aaaaaaaaaaaa/none.pth'), { code: 'E_ENVIRONMENT', where: 'SONOGROUND_GDRIVE' });
  });

  it('is found by its name once it is there, as a model is', async () => {
    await expectError(resolveModelDirectory('universeg', settings), { code: 'E_MODEL_NOT_DOWNLOADED', where: 'universeg' });
    const { path } = await download('universeg');
    expect(await resolveModelDirectory('universeg', settings)).toBe(path);
    expect(await resolveModelDirectory(GITHUB, settings)).toBe(path);
  });
});

describe('the name of a file', () => {
  it.each([
    'github:a/b@t/../x',
    'github:a/..@t/x.pt',
    'github:../b@t/x',
    'gdrive:short/x',
    'gdrive:0123456789abcdef/a/b',
    'gdrive:0123456789?x=1/a',
    'github:a/b/c.pt',
  ])('%s is refused', (name) => {
    expectError(() => parseFileName(name), { code: 'E_MODEL_NAME', where: name });
  });

  it('leaves names of the hub alone', () => {
    for (const name of ['grounding-dino-tiny', 'owner/repo@main', 'weights/nano-sam2'])
      expect(parseFileName(name)).toBeUndefined();
  });
});
