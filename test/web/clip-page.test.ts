import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import type { Browser, Page } from 'playwright-core';
import { generatePhantomClip, type PhantomClip, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { encodePng, hasFfmpeg, writeMp4 } from '../../src/imaging/index.js';
import { CarriedBoxes, GroundedSegmenter, loadImagePredictor } from '../../src/infer/index.js';
import { nanoModels } from '../../src/pretrained/index.js';
import { createServer, LocalEngine } from '../../src/serve/index.js';
import { useBackend } from '../support/backend.js';
import { browserMissing, openBrowser, openPage } from '../support/browser.js';
import { clipDicom } from '../support/clip-dicom.js';
import { patientLimits } from '../support/server.js';
import { describeUnless, itUnless } from '../support/skipped.js';
import { until } from '../support/until.js';

useBackend();

const noFfmpeg = (await hasFfmpeg()) ? undefined : 'it needs ffmpeg';

const FRAMES = 16;
const NAMES = { backend: 'test', detector: 'a/nano-grounding-dino', masker: 'a/nano-sam2', adapter: null };

/** The first colours of objects. */
const [ORANGE, BLUE] = [
  [230, 159, 0],
  [86, 180, 233],
] as const;

type Colour = readonly [number, number, number];

describeUnless(browserMissing, 'a clip in the page', () => {
  let dir: string;
  let phantom: PhantomClip;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  let servers: { readonly memory: FastifyInstance; readonly detection: FastifyInstance };
  let addresses: { readonly memory: string; readonly detection: string };

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'clip-page-'));
    const domain = phantomDomains['standard'] as PhantomDomain;
    phantom = generatePhantomClip(3, { width: 192, height: 160, domain, frames: FRAMES, leaves: false });
    await writeFile(join(dir, 'loop.dcm'), await clipDicom(phantom));
    const scratch = join(dir, 'videos');
    await mkdir(scratch);
    const start = async (tracking?: CarriedBoxes) => {
      const engine = new LocalEngine(await GroundedSegmenter.load(nanoModels), patientLimits, NAMES, { tracking, scratch });
      return createServer({ engine, limits: patientLimits });
    };
    // The box of an object's mask on one frame is its prompt on the next.
    const masker = await loadImagePredictor(nanoModels.masker);
    // These weights have not learned when an object is in sight: their estimate of the mask's quality stands for it.
    const tracking = new CarriedBoxes({
      setImage: (image) => masker.setImage(image),
      predict: async (prompts) => (await masker.predict(prompts)).map(({ masks }) => ({ masks, objectScore: undefined })),
      dispose: () => masker.dispose(),
    });
    servers = { memory: await start(tracking), detection: await start() };
    const listen = (server: FastifyInstance) => server.listen({ host: '127.0.0.1', port: 0 });
    addresses = { memory: await listen(servers.memory), detection: await listen(servers.detection) };
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await servers?.memory.close();
    await servers?.detection.close();
    await rm(dir, { recursive: true, force: true });
  });

  beforeEach(async () => {
    page = await openPage(browser, { viewport: { width: 1100, height: 800 }, colorScheme: 'dark' });
    complaints = [];
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
  });
  afterEach(async () => {
    expect(complaints).toEqual([]);
    await page.close();
  });

  const message = (text: RegExp) => page.locator('#message').filter({ hasText: text }).waitFor();
  const text = (id: string) => page.locator(`#${id}`).textContent();
  const rows = () => page.locator('#clip-tracks li').count();
  const frameShown = (frame: number) =>
    page.waitForFunction((n) => document.getElementById('clip-canvas')?.dataset['frame'] === String(n), frame);

  /** How many pixels of a canvas have exactly an object's colour: the edge of its mask and its box, or its line on the bar. */
  const pixelsOf = (canvas: string, colour: Colour) =>
    page.evaluate(
      ([id, [r, g, b]]) => {
        const own = document.getElementById(id) as HTMLCanvasElement;
        const { data } = (own.getContext('2d') as CanvasRenderingContext2D).getImageData(0, 0, own.width, own.height);
        let count = 0;
        for (let i = 0; i < data.length; i += 4) if (data[i] === r && data[i + 1] === g && data[i + 2] === b) count += 1;
        return count;
      },
      [canvas, colour] as const,
    );

  /** Columns of the bar, in shares of its width, in which an object's score is drawn. */
  const columnsOf = (colour: Colour) =>
    page.evaluate(([r, g, b]) => {
      const own = document.getElementById('clip-scores') as HTMLCanvasElement;
      const { data } = (own.getContext('2d') as CanvasRenderingContext2D).getImageData(0, 0, own.width, own.height);
      const columns: number[] = [];
      for (let i = 0; i < data.length; i += 4)
        if (data[i] === r && data[i + 1] === g && data[i + 2] === b) columns.push(((i / 4) % own.width) / own.width);
      return { from: Math.min(...columns), to: Math.max(...columns), count: columns.length };
    }, colour);

  async function open(kind: keyof typeof addresses, file = 'loop.dcm'): Promise<void> {
    await page.goto(addresses[kind]);
    await page.locator('#models').filter({ hasText: 'nano-sam2' }).waitFor();
    await page.locator('#file').setInputFiles(join(dir, file));
    await message(/16 frames, 192 × 160 pixels/);
    await frameShown(0);
  }

  async function find(): Promise<void> {
    const [object] = phantom.objects(0);
    await page.locator('#threshold').fill('0.1');
    await page.locator('#select').selectOption('best-per-image');
    await page.locator('#prompt').fill(object?.phrase ?? '');
    await page.locator('#find').click();
    await message(/1 found on frame/);
  }

  /** Drags over the canvas, in pixels of the clip. */
  async function drag(from: readonly [number, number], to: readonly [number, number]): Promise<void> {
    const box = await page.locator('#clip-canvas').boundingBox();
    if (box === null) throw new Error('the canvas is not to be seen');
    const at = ([x, y]: readonly [number, number]) =>
      [box.x + (x / phantom.width) * box.width, box.y + (y / phantom.height) * box.height] as const;
    await page.mouse.move(...at(from));
    await page.mouse.down();
    await page.mouse.move(...at(to), { steps: 5 });
    await page.mouse.up();
  }

  async function shoot(name: string): Promise<void> {
    const folder = process.env['SONOGROUND_SCREENSHOTS'];
    if (folder === undefined) return;
    await mkdir(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `${name}.png`) });
  }

  it('finds a phrase, carries it through the clip, is corrected on a later frame, and goes back step by step', async () => {
    await open('memory');
    expect(await text('follow-how')).toMatch(/^Follow all objects/);
    expect(await page.locator('#clip-forward').isDisabled()).toBe(true);
    expect(await pixelsOf('clip-canvas', ORANGE)).toBe(0);
    expect(await pixelsOf('clip-scores', ORANGE)).toBe(0);
    await find();
    expect(await rows()).toBe(1);
    expect(await pixelsOf('clip-canvas', ORANGE)).toBeGreaterThan(50);
    // One frame is known, at the left end of the bar.
    expect((await columnsOf(ORANGE)).to).toBeLessThan(0.1);
    await page.locator('#clip-forward').click();
    await message(/16 frames done, from 0 to 15/);
    const bar = await columnsOf(ORANGE);
    expect(bar.from).toBeLessThan(0.1);
    expect(bar.to).toBeGreaterThan(0.9);
    await shoot('clip-followed');

    // Steps by key and by button; the object is on every frame.
    await page.locator('#clip-canvas').focus();
    await page.keyboard.press('ArrowRight');
    await frameShown(1);
    await page.locator('#clip-next').click();
    await frameShown(2);
    await page.keyboard.press('Shift+ArrowRight');
    await frameShown(12);
    expect(await text('clip-position')).toBe('12 / 15');
    expect(await pixelsOf('clip-canvas', ORANGE)).toBeGreaterThan(50);

    // A second object, on this frame alone.
    await drag([10, 10], [60, 40]);
    await message(/Mask of \d+ pixels on frame 12/);
    expect(await rows()).toBe(2);
    expect(await pixelsOf('clip-canvas', BLUE)).toBeGreaterThan(50);
    await page.keyboard.press('ArrowLeft');
    await frameShown(11);
    expect(await pixelsOf('clip-canvas', BLUE)).toBe(0);
    expect(await page.locator('#clip-tracks .score').nth(1).textContent()).toBe('not followed here yet');

    // The first one is corrected: its box is drawn again, on a later frame.
    await page.keyboard.press('ArrowRight');
    await frameShown(12);
    const before = await page.locator('#clip-tracks .score').first().textContent();
    await page.locator('#clip-tracks .name').first().click();
    await page.locator('[name=tool][value=outside]').check();
    const [object] = phantom.objects(12);
    const [x0, y0, x1, y1] = object?.boxXyxyPx ?? [0, 0, 0, 0];
    await drag([(x0 + x1) / 2, (y0 + y1) / 2], [(x0 + x1) / 2, (y0 + y1) / 2]);
    await message(/on frame 12/);
    await page.locator('[name=tool][value=box]').check();
    expect(await page.locator('#clip-tracks .score').first().textContent()).not.toBe(before);
    await shoot('clip-corrected');

    // Back: the correction, the second object, the propagation, and the search.
    await page.locator('#clip-undo').click();
    await page.waitForFunction(() => document.body.ariaBusy === 'false');
    expect(await page.locator('#clip-tracks .score').first().textContent()).toBe(before);
    await page.locator('#clip-canvas').focus();
    await page.keyboard.press('z');
    await page.waitForFunction(() => document.querySelectorAll('#clip-tracks li').length === 1);
    expect(await pixelsOf('clip-canvas', BLUE)).toBe(0);
    await page.keyboard.press('Control+z');
    await page.waitForFunction(() => document.querySelector('#clip-tracks .score')?.textContent === 'not followed here yet');
    expect(await pixelsOf('clip-canvas', ORANGE)).toBe(0);
    await page.keyboard.press('Home');
    await frameShown(0);
    expect(await pixelsOf('clip-canvas', ORANGE)).toBeGreaterThan(50);
    await page.keyboard.press('z');
    await page.waitForFunction(() => document.querySelectorAll('#clip-tracks li').length === 0);
    expect(await pixelsOf('clip-scores', ORANGE)).toBe(0);
    expect(await page.locator('#clip-undo').isDisabled()).toBe(true);
  });

  itUnless(noFfmpeg, 'follows an object through an MP4 file that is chosen in the page, and keeps no copy of it', async () => {
    const files: string[] = [];
    for (let i = 0; i < FRAMES; i++) {
      files.push(join(dir, `frame_${i}.png`));
      await writeFile(files[i] as string, await encodePng(await phantom.frame(i)));
    }
    await writeMp4(join(dir, 'loop.mp4'), files, 0.04);
    await open('memory', 'loop.mp4');
    expect(await readdir(join(dir, 'videos'))).toHaveLength(1);
    const [object] = phantom.objects(0);
    const [x0, y0, x1, y1] = object?.boxXyxyPx ?? [0, 0, 0, 0];
    await drag([x0, y0], [x1, y1]);
    await message(/Mask of \d+ pixels on frame 0/);
    await page.locator('#clip-forward').click();
    await message(/16 frames done, from 0 to 15/);
    expect((await columnsOf(ORANGE)).to).toBeGreaterThan(0.9);
    await page.locator('#clip-canvas').focus();
    for (const [key, frame] of [
      ['ArrowRight', 1],
      ['Shift+ArrowRight', 11],
      ['End', 15],
    ] as const) {
      await page.keyboard.press(key);
      await frameShown(frame);
      expect(await pixelsOf('clip-canvas', ORANGE)).toBeGreaterThan(50);
    }
    expect(await text('clip-time')).toBe('0.60 s');
    await shoot('clip-video');
    await open('memory', 'loop.dcm');
    await until(async () => (await readdir(join(dir, 'videos'))).length === 0);
  });

  it('plays and pauses by the space bar, and goes where the bar is pressed', async () => {
    await open('memory');
    await page.locator('#clip-canvas').focus();
    await page.keyboard.press('Space');
    await page.waitForFunction(() => Number(document.getElementById('clip-canvas')?.dataset['frame']) >= 3);
    expect(await page.locator('#clip-play').getAttribute('aria-label')).toBe('Pause');
    await page.keyboard.press('Space');
    expect(await page.locator('#clip-play').getAttribute('aria-label')).toBe('Play');
    const bar = await page.locator('#clip-scores').boundingBox();
    if (bar === null) throw new Error('the bar is not to be seen');
    await page.mouse.click(bar.x + bar.width - 9, bar.y + bar.height / 2);
    await frameShown(15);
    expect(await page.locator('#clip-scores').getAttribute('aria-valuenow')).toBe('15');
    expect(await page.locator('#clip-forward').isDisabled()).toBe(true);
    // In text, keys are letters.
    await page.locator('#prompt').focus();
    await page.keyboard.type('a z b');
    expect(await page.locator('#prompt').inputValue()).toBe('a z b');
    expect(await text('clip-position')).toBe('15 / 15');
  });

  it('names the masker that has no memory, and looks on each frame instead', async () => {
    await open('detection');
    expect(await text('follow-how')).toMatch(/^nano-sam2 has no memory of other frames: the detector looks on each of them/);
    expect(await text('clip-forward')).toMatch(/Detect forward/);
    await find();
    await page.locator('#clip-forward').click();
    await message(/16 frames done/);
    expect((await columnsOf(ORANGE)).to).toBeGreaterThan(0.9);
    await shoot('clip-detected');
  });

  it('marks again what the server no longer knows', async () => {
    await open('memory');
    await find();
    const shown = await pixelsOf('clip-canvas', ORANGE);
    // Others filled its memory.
    for (let i = 0; i < 3; i++)
      await page.evaluate(
        async (bytes) => {
          const form = new FormData();
          form.set('image', new File([Uint8Array.from(bytes)], 'other.dcm'));
          await fetch('v1/clips', { method: 'POST', body: form });
        },
        [...(await clipDicom({ ...phantom, frames: 2 }))],
      );
    await page.locator('#clip-forward').click();
    await message(/16 frames done, from 0 to 15/);
    complaints = complaints.filter((said) => !/status of 404/.test(said));
    expect(await pixelsOf('clip-canvas', ORANGE)).toBe(shown);
    expect((await columnsOf(ORANGE)).to).toBeGreaterThan(0.9);
  });

  it('keeps what came before a frame that fails, and says which one it was', async () => {
    await open('memory');
    await find();
    await page.route('**/propagate', async (route) => {
      const answer = await route.fetch();
      const lines = (await answer.text()).split('\n').slice(0, 5);
      const error = { status: 422, code: 'E_IMAGE_DAMAGED', where: 'clip#4', what: 'frame 4 of 16: it is cut off' };
      await route.fulfill({ response: answer, body: `${[...lines, JSON.stringify({ error })].join('\n')}\n` });
    });
    await page.locator('#clip-forward').click();
    await message(/clip#4: frame 4 of 16: it is cut off\. The 4 frames to 3 stay/);
    const bar = await columnsOf(ORANGE);
    expect(bar.to).toBeGreaterThan(0.15);
    expect(bar.to).toBeLessThan(0.35);
    expect(await page.locator('#clip-stop').isHidden()).toBe(true);
  });

  it('fits a phone in light colours', async () => {
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 360, height: 780 });
    await open('detection');
    await find();
    await page.locator('#clip-forward').click();
    await message(/16 frames done/);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    const boxes = await page.evaluate(() =>
      [...document.querySelectorAll('#transport-buttons > *, #follow > button')]
        .map((own) => own.getBoundingClientRect())
        .filter(({ width }) => width > 0)
        .map(({ left, top, right, bottom }) => [left, top, right, bottom] as const),
    );
    for (const [i, [l, t, r, b]] of boxes.entries())
      for (const [x0, y0, x1, y1] of boxes.slice(i + 1)) expect(l < x1 && x0 < r && t < y1 && y0 < b).toBe(false);
    const folder = process.env['SONOGROUND_SCREENSHOTS'];
    if (folder !== undefined) await page.screenshot({ path: join(folder, 'clip-phone.png'), fullPage: true });
  });
});
