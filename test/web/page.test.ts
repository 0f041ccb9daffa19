import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import type { Browser, Page } from 'playwright-core';
import { initBackend, tf } from '../../src/backend/index.js';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { decodeImage, decodeRle, encodePng, maskArea, maskToPng } from '../../src/imaging/index.js';
import { exemplarModel, loadUniverSeg, nanoModels } from '../../src/pretrained/index.js';
import { createServer, ProcessEngine } from '../../src/serve/index.js';
import { Rng } from '../../src/util/index.js';
import { saveCheckpoint } from '../../src/weights/index.js';
import { browserMissing, openBrowser, openPage } from '../support/browser.js';
import { dicom } from '../support/dicom.js';
import { nifti } from '../support/nifti.js';
import { patientLimits } from '../support/server.js';
import { describeUnless } from '../support/skipped.js';

const TOKEN = 'a-token-of-24-letters-ok';

/** A page of another origin. */
async function startOther(html: string): Promise<{ address: string; close: () => Promise<void> }> {
  const other = createHttpServer((_request, response) => response.setHeader('content-type', 'text/html').end(html));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const close = async () => {
    other.closeAllConnections();
    await new Promise((resolve) => other.close(resolve));
  };
  // Another name for this machine, so that it is another site and not only another port.
  return { address: `http://localhost:${(other.address() as AddressInfo).port}/`, close };
}

/** A UniverSeg of random weights that answers every image with a full mask. */
async function universegCallingAllInside(folder: string): Promise<string> {
  await initBackend();
  const { model } = await loadUniverSeg(exemplarModel, { random: Rng.seeded(1) });
  const bias = [...model.namedParameters()].find(([path]) => path === 'out_conv.conv.bias')?.[1];
  bias?.assign(tf.tensor1d([1000]));
  await mkdir(folder);
  await saveCheckpoint(model, join(folder, 'model.safetensors'));
  await copyFile(join(exemplarModel, 'config.json'), join(folder, 'config.json'));
  model.dispose();
  return folder;
}

describeUnless(browserMissing, 'the page in a browser', () => {
  let dir: string;
  let server: FastifyInstance;
  let address: string;
  let browser: Browser;
  let page: Page;
  let asked: string[];
  let complaints: string[];

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'page-'));
    const phantoms = new PhantomDataset({
      size: 1,
      seed: 5,
      width: 160,
      height: 120,
      domain: phantomDomains['standard'] as PhantomDomain,
    });
    await writeFile(join(dir, 'scan.png'), await encodePng((await phantoms.load(0)).image));
    const universeg = await universegCallingAllInside(join(dir, 'universeg'));
    const engine = await ProcessEngine.start({ models: nanoModels, universeg, backend: 'auto', limits: patientLimits });
    server = await createServer({ engine, limits: patientLimits, token: TOKEN });
    address = await server.listen({ host: '127.0.0.1', port: 0 });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await rm(dir, { recursive: true, force: true });
  });

  beforeEach(async () => {
    page = await openPage(browser, { viewport: { width: 1100, height: 800 }, colorScheme: 'dark' });
    asked = [];
    complaints = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
  });
  afterEach(async () => {
    expect(complaints).toEqual([]);
    const foreign = asked.filter((url) => !url.startsWith(`${address}/`) && !/^(blob|data):/.test(url));
    expect(foreign).toEqual([]);
    await page.close();
  });

  const message = (text: RegExp) => page.locator('#message').filter({ hasText: text }).waitFor();
  const rows = () => page.locator('#layers li').count();
  const requests = (path: string) => asked.filter((url) => url.endsWith(path)).length;

  /** The pixels of the canvas as one number, which changes with what is drawn. */
  const drawn = () =>
    page.evaluate(() => {
      const canvas = document.querySelector('canvas') as HTMLCanvasElement;
      const { data } = (canvas.getContext('2d') as CanvasRenderingContext2D).getImageData(0, 0, canvas.width, canvas.height);
      return data.reduce((sum, value, i) => (sum + value * ((i % 8191) + 1)) % 1_000_003, 0);
    });

  async function openScan(file: string): Promise<void> {
    await page.goto(`${address}/#token=${TOKEN}`);
    await page.locator('#file').setInputFiles(join(dir, file));
    await message(/pixels/);
  }

  async function look(prompt: string, threshold: number): Promise<void> {
    await page.locator('#prompt').fill(prompt);
    await page.locator('#find').click();
    await message(/found in/);
    await page.locator('#threshold').fill(String(threshold));
  }

  /** Drags over the canvas, in shares of its width and height. */
  async function drag(from: readonly [number, number], to: readonly [number, number]): Promise<void> {
    const box = await page.locator('#canvas').boundingBox();
    if (box === null) throw new Error('the canvas is not to be seen');
    const at = ([x, y]: readonly [number, number]) => [box.x + x * box.width, box.y + y * box.height] as const;
    await page.mouse.move(...at(from));
    await page.mouse.down();
    await page.mouse.move(...at(to), { steps: 5 });
    await page.mouse.up();
  }

  async function download(kind: string): Promise<{ name: string; bytes: Buffer }> {
    const [file] = await Promise.all([page.waitForEvent('download'), page.locator(`[data-export=${kind}]`).click()]);
    return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) };
  }

  it('finds, hides and shows by score without asking again', async () => {
    await openScan('scan.png');
    const bare = await drawn();
    await look('mass. cyst. kidney. benign lesion.', 0.05);
    const many = await rows();
    expect(many).toBeGreaterThan(1);
    const all = await drawn();
    expect(all).not.toBe(bare);
    const before = asked.length;
    const score = Number((await page.locator('#layers .score').first().textContent())?.split(' ')[0]);
    await page.locator('#threshold').fill(String(Math.min(1, Math.ceil(score * 100 + 1) / 100)));
    expect(await rows()).toBe(0);
    expect(await drawn()).toBe(bare);
    await page.locator('#threshold').fill('0.05');
    expect(await rows()).toBe(many);
    expect(await drawn()).toBe(all);
    await page.locator('#select').selectOption('best-per-image');
    expect(await rows()).toBe(1);
    await page.locator('#layers input').first().uncheck();
    expect(await drawn()).toBe(bare);
    await page.locator('#layers input').first().check();
    expect(asked.length).toBe(before);
    const shot = await page.screenshot();
    const { width, height } = await decodeImage(shot);
    expect([width, height]).toEqual([1100, 800]);
    const folder = process.env['SONOGROUND_SCREENSHOTS'];
    if (folder !== undefined) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'page.png'), shot);
    }
  });

  it('measures what is shown by the size of a pixel that is typed, in millimetres', async () => {
    await openScan('scan.png');
    await look('mass. cyst. kidney.', 0.05);
    const sizes = async () => (await page.locator('#layers .size').allTextContents()).join('\n');
    expect(await sizes()).toMatch(/no millimetres: the file does not say/);
    const field = page.locator('#pixel-mm');
    await field.fill('0.2');
    await field.press('Enter');
    await page.locator('#layers .size', { hasText: ' mm,' }).first().waitFor();
    const first = await sizes();
    expect(first).not.toMatch(/no millimetres/);
    await field.fill('0,4');
    await field.press('Enter');
    await page.waitForFunction(
      (text) => !document.querySelector('#layers')?.textContent?.includes(text),
      first.split('\n')[0] ?? '',
    );
    const axis = (text: string) => Number(/^([\d.]+) ×/.exec(text)?.[1]);
    expect(axis(await sizes()) / axis(first)).toBeCloseTo(2, 1);
    // Stays for the next search, and is written to files.
    await look('mass. cyst. kidney.', 0.05);
    expect(await sizes()).toMatch(/ mm,/);
    const folder = process.env['SONOGROUND_SCREENSHOTS'];
    if (folder !== undefined) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'millimetres.png'), await page.screenshot());
    }
    const { image, segments } = JSON.parse(String((await download('json')).bytes));
    expect([image.spacing_mm, segments[0].measures.spacing_mm]).toEqual([
      [0.4, 0.4],
      [0.4, 0.4],
    ]);
    await field.fill('wide');
    await field.press('Enter');
    expect(await field.getAttribute('aria-invalid')).toBe('true');
  });

  it('outlines a box as soon as it is drawn, moved or pulled, and what points name', async () => {
    await openScan('scan.png');
    await drag([0.2, 0.3], [0.6, 0.7]);
    await message(/Mask of \d+ pixels/);
    expect(await rows()).toBe(1);
    expect(requests('/v1/masks')).toBe(1);
    const first = await drawn();
    await drag([0.6, 0.7], [0.8, 0.8]);
    await page.waitForFunction(() => document.body.ariaBusy === 'false');
    expect(requests('/v1/masks')).toBe(2);
    expect(await drawn()).not.toBe(first);
    await drag([0.5, 0.5], [0.45, 0.45]);
    await page.waitForFunction(() => document.body.ariaBusy === 'false');
    expect(requests('/v1/masks')).toBe(3);
    expect(await rows()).toBe(1);
    const exported = JSON.parse((await download('json')).bytes.toString('utf8'));
    const [x, y, w, h] = exported.segments[0].bbox;
    const off = [0.15 * 160, 0.25 * 120, 0.6 * 160, 0.5 * 120].map((value, i) => Math.abs(value - [x, y, w, h][i]));
    expect(Math.max(...off)).toBeLessThan(1.5);
    await page.locator('[name=tool][value=inside]').check();
    await drag([0.4, 0.5], [0.4, 0.5]);
    await page.waitForFunction(() => document.body.ariaBusy === 'false');
    expect(requests('/v1/masks')).toBe(4);
    await page.locator('#delete').click();
    expect(await rows()).toBe(0);
    await drag([0.5, 0.5], [0.5, 0.5]);
    await message(/Mask of \d+ pixels/);
    expect(await rows()).toBe(1);
  });

  it('finds what looks like outlines of other images and mask files, also after the server dropped them', async () => {
    const grey = (level: number) =>
      encodePng({ width: 60, height: 50, data: new Uint8Array(3 * 60 * 50).map((_, i) => (i * level) % 251) });
    await writeFile(join(dir, 'a.png'), await grey(3));
    const mask = { width: 60, height: 50, data: new Uint8Array(60 * 50).fill(1, 400, 900) };
    await writeFile(join(dir, 'a_mask.png'), await maskToPng(mask));
    await openScan('scan.png');
    await page.locator('#alike summary').click();
    expect(await page.locator('#find-alike').isDisabled()).toBe(true);
    expect(await page.locator('#add-exemplar').isDisabled()).toBe(true);
    await page.locator('#exemplar-files').setInputFiles([join(dir, 'a.png')]);
    await message(/a\.png has no mask: choose a_mask\.png/);
    await page.locator('#exemplar-files').setInputFiles([join(dir, 'a.png'), join(dir, 'a_mask.png')]);
    await message(/1 of at most 16/);
    await drag([0.2, 0.3], [0.6, 0.7]);
    await message(/Mask of \d+ pixels/);
    await page.locator('#add-exemplar').click();
    await message(/2 of at most 16/);
    expect(await page.locator('#exemplars .name').allTextContents()).toEqual(['a.png', 'scan.png']);
    await page.locator('#find-alike').click();
    await message(/it is one of the exemplars/);
    await writeFile(join(dir, 'b.png'), await grey(7));
    await page.locator('#file').setInputFiles(join(dir, 'b.png'));
    await message(/60 × 50 pixels/);
    await page.locator('#find-alike').click();
    await message(/1 found in/);
    await page.locator('#threshold').fill('0.5');
    expect(await rows()).toBe(1);
    expect(JSON.parse((await download('json')).bytes.toString('utf8')).segments[0]).toMatchObject({
      phrase: 'like the exemplars',
      bbox: [0, 0, 60, 50],
    });
    const folder = process.env['SONOGROUND_SCREENSHOTS'];
    if (folder !== undefined) await writeFile(join(folder, 'exemplars.png'), await page.screenshot());
    // Others have used the server's memory for images meanwhile.
    const image = (await grey(11)).toString('base64');
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    for (let i = 0; i < patientLimits.keptImages; i++)
      await server.inject({ method: 'POST', url: '/v1/images', headers, payload: JSON.stringify({ image }) });
    await page.locator('#find-alike').click();
    await message(/1 found in/);
    await page.locator('#exemplars button').first().click();
    expect(await page.locator('#exemplars .name').allTextContents()).toEqual(['scan.png']);
    complaints = complaints.filter((text) => !/status of (404|422)/.test(text));
  });

  it('says what is missing where the server has no UniverSeg', async () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const health = (await server.inject({ url: '/v1/health', headers })).json();
    expect(health.exemplars).toMatch(/universeg$/);
    await page.route('**/v1/health', (route) => route.fulfill({ json: { ...health, exemplars: null } }));
    await openScan('scan.png');
    await page.locator('#alike summary').click();
    expect(await page.locator('#alike-missing').textContent()).toMatch(/No trained UniverSeg.*--universeg.*download universeg/);
    for (const id of ['#add-files', '#find-alike', '#add-exemplar', '#alike-help'])
      expect(await page.locator(id).isVisible()).toBe(false);
  });

  it('saves what is shown as an image, as JSON and as a data set', async () => {
    await openScan('scan.png');
    await look('mass. cyst. kidney.', 0.05);
    const shown = await rows();
    const png = await download('png');
    expect(png.name).toBe('scan-overlay.png');
    const { width, height } = await decodeImage(png.bytes);
    expect([width % 160, height % 120, width / 160]).toEqual([0, 0, height / 120]);
    const json = JSON.parse((await download('json')).bytes.toString('utf8'));
    expect(json.image).toEqual({ file_name: 'scan.png', frame: '0', width: 160, height: 120, spacing_mm: null });
    expect(json.segments.length).toBe(shown);
    const coco = JSON.parse((await download('coco')).bytes.toString('utf8'));
    expect(coco.images).toEqual([{ id: 1, file_name: 'scan.png', width: 160, height: 120 }]);
    expect(coco.annotations.length).toBe(shown);
    for (const { segmentation, area, category_id } of coco.annotations) {
      expect(maskArea(decodeRle(segmentation.counts, 160, 120))).toBe(area);
      expect(coco.categories.map(({ id }: { id: number }) => id)).toContain(category_id);
    }
  });

  it('leafs through a volume and reads DICOM', async () => {
    const values = Array.from({ length: 40 * 30 * 5 }, (_, i) => (i * 37) % 256);
    await writeFile(join(dir, 'volume.nii.gz'), nifti({ dims: [40, 30, 5], values, gzip: true }));
    await writeFile(join(dir, 'film.dcm'), dicom({ width: 24, height: 20, frames: [new Uint8Array(480).fill(90)] }));
    await openScan('volume.nii.gz');
    expect(await page.locator('#frame-name').textContent()).toBe('slices: 0 (5)');
    const first = await drawn();
    await page.locator('#frame').fill('3');
    await page.locator('#frame-name').filter({ hasText: 'slices: 3 (5)' }).waitFor();
    expect(await drawn()).not.toBe(first);
    await page.locator('#file').setInputFiles(join(dir, 'film.dcm'));
    await message(/24 × 20 pixels/);
    expect(await page.locator('#frames').isHidden()).toBe(true);
  });

  it('reports what is wrong with a file, and stays usable', async () => {
    await writeFile(join(dir, 'bad.png'), 'not an image');
    await page.goto(`${address}/#token=${TOKEN}`);
    await page.locator('#file').setInputFiles(join(dir, 'bad.png'));
    await message(/cannot be read as an image/);
    // The browser itself reports an answer of 422.
    complaints = complaints.filter((text) => !/status of 422/.test(text));
    await page.locator('#file').setInputFiles(join(dir, 'scan.png'));
    await message(/160 × 120 pixels/);
  });

  it('shows hostile names and phrases as the letters that they are', async () => {
    const hostile = '<img src=x onerror="window.taken=1">';
    await page.route('**/v1/segment', async (route) => {
      const answer = await route.fetch();
      const said = await answer.json();
      said.segments = [{ phrase: hostile, score: 0.9, bbox: [10, 10, 50, 40], area: 9, mask_score: null, mask: null }];
      await route.fulfill({ response: answer, json: said });
    });
    await page.goto(`${address}/#token=${TOKEN}`);
    const buffer = await readFile(join(dir, 'scan.png'));
    await page.locator('#file').setInputFiles({ name: `${hostile}.png`, mimeType: 'image/png', buffer });
    await message(/pixels/);
    await look('cyst.', 0.05);
    expect(await page.locator('#layers .name').textContent()).toBe(hostile);
    expect(await page.locator('#layers img, #message img').count()).toBe(0);
    expect(JSON.parse((await download('json')).bytes.toString('utf8')).image.file_name).toBe(`${hostile}.png`);
    expect(await page.evaluate(() => 'taken' in window)).toBe(false);
    // Nor could a piece of the page that was careless.
    const careless = page.evaluate((text) => {
      document.body.innerHTML = text;
    }, hostile);
    await expect(careless).rejects.toThrow(/TrustedHTML/);
    complaints = complaints.filter((text) => !/TrustedHTML|trusted types/i.test(text));
  });

  it('is reached by a link of another page, and from nowhere else', async () => {
    const other = await startOther(`<a href="${address}/">the page</a><iframe src="${address}/"></iframe>`);
    await page.goto(other.address);
    await page.locator('a').click();
    await page.locator('#login').waitFor();
    await other.close();
    // The frame stayed empty, and the browser says so.
    expect(complaints.some((text) => /403|frame/i.test(text))).toBe(true);
    complaints = [];
    asked = asked.filter((url) => !url.startsWith(other.address));
    await page.goto(`${address}/nothing-here`);
    expect(await page.locator('body').textContent()).toMatch(/a token is needed/);
    await page.locator('a').click();
    await page.locator('#login').waitFor();
    complaints = complaints.filter((text) => !/status of 401/.test(text));
  });

  it('asks for the token when the link has none', async () => {
    await page.goto(address);
    await page.locator('#token').fill(TOKEN);
    await page.locator('#login button').click();
    await page.locator('#models').filter({ hasText: 'nano-sam2' }).waitFor();
    complaints = complaints.filter((text) => !/status of 401/.test(text));
    expect(page.url()).not.toContain(TOKEN);
  });

  it('fits a phone', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await openScan('scan.png');
    await look('mass. cyst.', 0.05);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBeLessThanOrEqual(390);
    const folder = process.env['SONOGROUND_SCREENSHOTS'];
    if (folder !== undefined) await writeFile(join(folder, 'phone.png'), await page.screenshot({ fullPage: true }));
  });
});
