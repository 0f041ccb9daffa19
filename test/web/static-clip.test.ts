import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { initBackend } from '../../src/backend/index.js';
import { generatePhantomClip, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { exportModel } from '../../src/export/index.js';
import { decodeRle, openClip } from '../../src/imaging/index.js';
import { GroundedSegmenter, loadSam2VideoPredictor, MemorySession, type SessionFrame } from '../../src/infer/index.js';
import { useBackend } from '../support/backend.js';
import { browserMissing, openBrowser, openPage } from '../support/browser.js';
import { clipDicom } from '../support/clip-dicom.js';
import { writeNanoMemory } from '../support/nano-memory.js';
import { describeUnless, notNative } from '../support/skipped.js';
import { StaticServer } from '../support/static-server.js';

/** Graphs are recorded on TensorFlow. */
const backend = await initBackend();
useBackend();

const FRAMES = 6;
const LAST = FRAMES - 1;

/** What this page knows of a clip, as it exports it. */
interface Exported {
  readonly clip: { readonly tracking: string };
  readonly frames: readonly {
    readonly frame: number;
    readonly tracks: readonly {
      readonly object_score: number;
      readonly area: number;
      readonly mask: { readonly counts: string } | null;
    }[];
  }[];
}

describeUnless(browserMissing ?? notNative(backend), 'a clip in the page that computes in the browser', () => {
  const domain = phantomDomains['standard'] as PhantomDomain;
  const phantom = generatePhantomClip(3, { width: 160, height: 120, domain, frames: FRAMES, leaves: false });
  const phrase = phantom.objects(0)[0]?.phrase ?? '';
  let dir: string;
  let masker: string;
  let sites: { readonly memory: string; readonly none: string };
  let browser: Browser;
  let page: Page;
  let server: StaticServer;
  let complaints: string[];

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'static-clip-'));
    masker = join(dir, 'nano-memory');
    await writeNanoMemory(masker);
    sites = { memory: join(dir, 'memory'), none: join(dir, 'none') };
    const detector = 'weights/nano-grounding-dino';
    await exportModel({ detector, masker }, { form: 'graph-model', page: true, to: sites.memory });
    await exportModel({ detector, masker: 'weights/nano-sam2' }, { form: 'graph-model', page: true, to: sites.none });
    await writeFile(join(dir, 'loop.dcm'), await clipDicom(phantom));
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await rm(dir, { recursive: true, force: true });
  });

  beforeEach(async () => {
    complaints = [];
    page = await openPage(browser, { viewport: { width: 1100, height: 800 }, colorScheme: 'dark' });
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
  });
  afterEach(async () => {
    await page.close();
    await server.close();
    expect(complaints).toEqual([]);
  });

  const message = (text: RegExp) => page.locator('#message').filter({ hasText: text }).waitFor();
  const tensors = () =>
    page
      .workers()[0]
      ?.evaluate(() => (globalThis as unknown as { tf: typeof import('@tensorflow/tfjs') }).tf.memory().numTensors);

  async function open(site: string): Promise<void> {
    server = new StaticServer(site);
    await page.goto(`${await server.listen()}/?backend=wasm`);
    await page.locator('#models').filter({ hasText: 'nano' }).waitFor();
    await page.locator('#file').setInputFiles(join(dir, 'loop.dcm'));
    await message(new RegExp(`${FRAMES} frames, 160 × 120 pixels`));
    await page.locator('#threshold').fill('0.05');
    await page.locator('#select').selectOption('best-per-image');
    await page.locator('#prompt').fill(phrase);
    await page.locator('#find').click();
    await message(/1 found on frame 0/);
  }

  async function followed(): Promise<Exported> {
    await page.locator('#clip-forward').click();
    await message(new RegExp(`${FRAMES} frames done, from 0 to ${LAST}`));
    const [file] = await Promise.all([page.waitForEvent('download'), page.locator('[data-export=json]').click()]);
    return JSON.parse(await readFile(await file.path(), 'utf8'));
  }

  /** The same work in Node, by the masker's own weights. */
  async function inNode(): Promise<SessionFrame[]> {
    const [segmenter, predictor] = [await GroundedSegmenter.load(sites.memory), await loadSam2VideoPredictor(masker)];
    const clip = await openClip(join(dir, 'loop.dcm'));
    const session = new MemorySession(clip, await predictor.track(clip), segmenter.detector);
    await session.find(0, [phrase], { threshold: 0.05, nmsThreshold: 0.5, select: 'best-per-image', maxDetections: 100 });
    const frames: SessionFrame[] = [];
    for (const frame of session.plan({ from: 0, direction: 'forward' })) frames.push(await session.step(frame, 'forward'));
    session.dispose();
    predictor.dispose();
    segmenter.dispose();
    await clip.close();
    return frames;
  }

  it('follows an object by the memory, as Node does, and leaves no tensor behind', async () => {
    await open(sites.memory);
    expect(await page.locator('#follow-how').textContent()).toMatch(/^Follow all objects/);
    const { clip, frames } = await followed();
    expect(clip.tracking).toBe('memory');
    const folder = process.env['SONOGROUND_SCREENSHOTS'];
    if (folder !== undefined) {
      await mkdir(folder, { recursive: true });
      await page.screenshot({ path: join(folder, 'static-clip.png') });
    }
    const expected = await inNode();
    expect(frames.map(({ frame }) => frame)).toEqual(expected.map(({ frame }) => frame));
    for (const [i, { tracks }] of frames.entries()) {
      const [own, other] = [tracks[0], expected[i]?.segments[0]];
      if (own === undefined || other === undefined) throw new Error('there is no object');
      expect(own.object_score).toBeCloseTo(other.objectScore, 3);
      expect(own.area).toBeGreaterThan(50);
      const { data } = decodeRle(own.mask?.counts ?? '', phantom.width, phantom.height);
      const differing = data.reduce((sum, value, k) => sum + Number(value !== other.mask.data[k]), 0);
      expect(differing / data.length).toBeLessThan(1e-3);
    }
    const before = await tensors();
    await followed();
    // Each propagation can be undone: the marked frame's memory is shared, not held again.
    expect(await tensors()).toBeLessThanOrEqual((before ?? 0) + 1);
  });

  it('looks on each frame where the graphs have no memory', async () => {
    await open(sites.none);
    expect(await page.locator('#follow-how').textContent()).toMatch(/no memory of other frames/);
    const { clip, frames } = await followed();
    expect(clip.tracking).toBe('detection');
    expect(frames).toHaveLength(FRAMES);
  });
});
