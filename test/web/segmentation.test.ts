import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import type { Browser, Page } from 'playwright-core';
import { nanoModels } from '../../src/pretrained/index.js';
import { createServer, ProcessEngine } from '../../src/serve/index.js';
import { browserMissing, openBrowser, openPage } from '../support/browser.js';
import { dicom } from '../support/dicom.js';
import { encodeBoth, SOURCES, STUDY, sourceFile } from '../support/evidence.js';
import { patientLimits } from '../support/server.js';
import { describeUnless } from '../support/skipped.js';

const SINGLE = SOURCES['a single frame'] as (typeof SOURCES)[string];
const CLIP = { ...(SOURCES['a cine clip of 30 frames'] as (typeof SOURCES)[string]), count: 3 };
const NAMES = ['thyroid nodule 1', 'thyroid nodule 2', 'Σκιά 1'];

describeUnless(browserMissing, 'a segmentation in the page', () => {
  let dir: string;
  let server: FastifyInstance;
  let address: string;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'page-seg-'));
    const large = dicom({ width: 122, height: 86, frames: [new Uint8Array(122 * 86)], more: STUDY });
    const other = sourceFile({ ...SINGLE, more: { ...SINGLE.more, '00080018': { vr: 'UI', Value: ['1.2.826.7.99'] } } });
    const files = {
      'scan.dcm': sourceFile(SINGLE),
      'scan.seg.dcm': (await encodeBoth(sourceFile(SINGLE))).segmentation.bytes,
      'loop.dcm': sourceFile(CLIP),
      'loop.seg.dcm': (await encodeBoth(sourceFile(CLIP), 'labelmap')).segmentation.bytes,
      'large.dcm': large,
      'other.dcm': other,
    };
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(dir, name), bytes);
    const engine = await ProcessEngine.start({ models: nanoModels, backend: 'auto', limits: patientLimits });
    server = await createServer({ engine, limits: patientLimits });
    address = await server.listen({ host: '127.0.0.1', port: 0 });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await rm(dir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    page = await openPage(browser, { viewport: { width: 1100, height: 800 } });
    await page.goto(`${address}/`);
  });
  afterEach(() => page.close());

  const choose = (...names: readonly string[]) => page.locator('#file').setInputFiles(names.map((name) => join(dir, name)));
  const message = (text: RegExp) => page.locator('#message').filter({ hasText: text }).waitFor();
  const names = (list = '#layers') => page.locator(`${list} .name`).allTextContents();

  it('is shown with the names of its segments and their measures, dropped together with its image', async () => {
    await choose('scan.seg.dcm', 'scan.dcm');
    await message(/3 segments of scan\.seg\.dcm/);
    expect((await names()).sort()).toEqual([...NAMES].sort());
    expect(await page.locator('#layers .size').first().textContent()).toMatch(/mm/);
    expect(await page.locator('#layers .score').first().textContent()).toBe('read');
  });

  it('is shown on a clip that is open, each segment on its frames', async () => {
    await choose('loop.dcm');
    await message(/frames/);
    await choose('loop.seg.dcm');
    await message(/3 segments of loop\.seg\.dcm, on 3 frames/);
    for (const [i, name] of (await names('#clip-tracks')).entries()) expect(name).toContain(NAMES[i]);
    expect(await names('#clip-tracks')).toHaveLength(NAMES.length);
  });

  it.each([
    ['other.dcm', /scan\.seg\.dcm: it is of the image 1\.2\.826\.7\.3, not of 1\.2\.826\.7\.99/],
    ['large.dcm', /scan\.seg\.dcm: it has 61x43 pixels, its image 122x86/],
  ])('is refused by name over %s', async (image, reason) => {
    await choose(image);
    await message(/pixels/);
    await choose('scan.seg.dcm');
    await message(reason);
    expect(await names()).toEqual([]);
  });

  it('says that its image is to be opened first', async () => {
    await choose('scan.seg.dcm');
    await message(/scan\.seg\.dcm is a segmentation: open its image first/);
  });
});
