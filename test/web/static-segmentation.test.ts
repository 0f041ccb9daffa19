import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { initBackend } from '../../src/backend/index.js';
import { exportModel } from '../../src/export/index.js';
import { decodeRle } from '../../src/imaging/index.js';
import { useBackend } from '../support/backend.js';
import { browserMissing, openBrowser, openPage } from '../support/browser.js';
import { type Encoded, encodeBoth, SOURCES, sourceFile } from '../support/evidence.js';
import { describeUnless, notNative } from '../support/skipped.js';
import { StaticServer } from '../support/static-server.js';

/** Graphs are recorded on TensorFlow. */
const backend = await initBackend();
useBackend();

const SINGLE = SOURCES['a single frame'] as (typeof SOURCES)[string];
const CLIP = { ...(SOURCES['a cine clip of 30 frames'] as (typeof SOURCES)[string]), count: 3 };

describeUnless(browserMissing ?? notNative(backend), 'a segmentation in the page that computes in the browser', () => {
  let dir: string;
  let server: StaticServer;
  let address: string;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  let single: Encoded;
  let clip: Encoded;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'static-seg-'));
    const site = join(dir, 'site');
    const models = { detector: 'weights/nano-grounding-dino', masker: 'weights/nano-sam2' };
    await exportModel(models, { form: 'graph-model', page: true, to: site });
    [single, clip] = [await encodeBoth(sourceFile(SINGLE)), await encodeBoth(sourceFile(CLIP), 'labelmap')];
    const files = {
      'scan.dcm': sourceFile(SINGLE),
      'scan.seg.dcm': single.segmentation.bytes,
      'loop.dcm': sourceFile(CLIP),
      'loop.seg.dcm': clip.segmentation.bytes,
      'other.dcm': sourceFile({ ...SINGLE, more: { ...SINGLE.more, '00080018': { vr: 'UI', Value: ['1.2.826.7.99'] } } }),
    };
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(dir, name), bytes);
    server = new StaticServer(site);
    address = await server.listen();
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await rm(dir, { recursive: true, force: true });
  });

  beforeEach(async () => {
    complaints = [];
    page = await openPage(browser, { viewport: { width: 1100, height: 800 } });
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${address}/?backend=wasm`);
    await page.locator('#models').filter({ hasText: 'nano' }).waitFor();
  });
  afterEach(async () => {
    await page.close();
    expect(complaints).toEqual([]);
    // A segmentation is read where it is shown: nothing but the page's own files was fetched.
    expect(server.asked.filter((path) => !/\.(js|css|json|bin|wasm)$|^\/$/.test(path))).toEqual([]);
  });

  const choose = (...names: readonly string[]) => page.locator('#file').setInputFiles(names.map((name) => join(dir, name)));
  const message = (text: RegExp) => page.locator('#message').filter({ hasText: text }).waitFor();
  const names = (list: string) => page.locator(`${list} .name`).allTextContents();
  const exported = async () => {
    const [file] = await Promise.all([page.waitForEvent('download'), page.locator('[data-export=json]').click()]);
    return JSON.parse(await readFile(await file.path(), 'utf8'));
  };

  it('is read bit by bit, dropped together with its image, and measured', async () => {
    await choose('scan.seg.dcm', 'scan.dcm');
    await message(/3 segments of scan\.seg\.dcm/);
    const { segments } = await exported();
    const { objects } = single.options;
    expect(segments).toHaveLength(objects.length);
    for (const { label, frames } of objects) {
      const read = segments.find(({ phrase }: { readonly phrase: string }) => phrase === label);
      expect(decodeRle(read.mask.counts, 61, 43)).toEqual(frames[0]?.mask);
      expect(read.measures).toEqual(frames[0]?.measures?.measures);
    }
  });

  it('is shown on a clip that is open, each segment on its frames', async () => {
    await choose('loop.dcm');
    await message(/3 frames/);
    await choose('loop.seg.dcm');
    await message(/3 segments of loop\.seg\.dcm, on 3 frames/);
    const { frames } = await exported();
    const shown = frames.flatMap(
      ({ frame, tracks }: { readonly frame: number; readonly tracks: readonly { track: number; mask: unknown }[] }) =>
        tracks.filter(({ mask }) => mask !== null).map(({ track }) => `${track} ${frame}`),
    );
    const wanted = clip.options.objects.flatMap(({ frames: own }, i) => own.map(({ frame }) => `${i + 1} ${frame}`));
    expect(shown.sort()).toEqual(wanted.sort());
    expect(await names('#clip-tracks')).toHaveLength(clip.options.objects.length);
  });

  it('is refused by name over another image', async () => {
    await choose('other.dcm');
    await message(/pixels/);
    await choose('scan.seg.dcm');
    await message(/scan\.seg\.dcm: it is of the image 1\.2\.826\.7\.3, not of 1\.2\.826\.7\.99/);
    expect(await names('#layers')).toEqual([]);
  });

  it('says that its image is to be opened first', async () => {
    await choose('scan.seg.dcm');
    await message(/scan\.seg\.dcm is a segmentation: open its image first/);
  });
});
