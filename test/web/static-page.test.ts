import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { initBackend } from '../../src/backend/index.js';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { exportModel } from '../../src/export/index.js';
import { decodeImage, decodeRle, encodePng, type RasterImage } from '../../src/imaging/index.js';
import { GroundedSegmenter, type Segment } from '../../src/infer/index.js';
import { useBackend } from '../support/backend.js';
import { browserMissing, openBrowser, openPage } from '../support/browser.js';
import { dicom, SYNTAX } from '../support/dicom.js';
import { rleFrame } from '../support/rle-frame.js';
import { describeUnless, notNative, notSlow, skippedName } from '../support/skipped.js';
import { StaticServer } from '../support/static-server.js';

/** Graphs are recorded on TensorFlow. */
const backend = await initBackend();
useBackend();

const missing = browserMissing ?? notNative(backend);

/** Graphics that the processor imitates take half a minute to warm up. */

const PROMPT = 'mass. cyst. kidney.';
const FLOOR = 0.05;

/** In the browser: the last image that was shown, in base64. */
declare const seen: { png?: string | undefined };

/** What this page shows, as it exports it. */
interface Exported {
  readonly image: { readonly width: number; readonly height: number };
  readonly segments: readonly {
    readonly phrase: string;
    readonly score: number | null;
    readonly bbox: readonly [number, number, number, number];
    readonly mask_score: number;
    readonly mask: { readonly counts: string };
  }[];
}

describeUnless(missing, 'the page that computes in the browser', () => {
  let dir: string;
  let site: string;
  let image: RasterImage;
  let expected: Segment[];
  let segmenter: GroundedSegmenter;
  let plain: Browser;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'static-page-'));
    site = join(dir, 'site');
    const models = { detector: 'weights/nano-grounding-dino', masker: 'weights/nano-sam2' };
    await exportModel(models, { form: 'graph-model', page: true, to: site });
    const domain = phantomDomains['standard'] as PhantomDomain;
    // Not the model's size, and not square.
    const phantoms = new PhantomDataset({ size: 1, seed: 5, width: 320, height: 240, domain });
    image = (await phantoms.load(0)).image;
    await writeFile(join(dir, 'scan.png'), await encodePng(image));
    segmenter = await GroundedSegmenter.load(site);
    expected = await segmenter.segment(image, PROMPT, { threshold: FLOOR });
    expect(expected.length).toBeGreaterThan(3);
    plain = await openBrowser();
  });
  afterAll(async () => {
    segmenter?.dispose();
    await plain?.close();
    await rm(dir, { recursive: true, force: true });
  });

  let server: StaticServer;
  let address: string;
  let page: Page;
  let asked: string[];
  let complaints: string[];

  async function open(folder: string, query = '', browser = plain): Promise<void> {
    server = new StaticServer(folder);
    address = await server.listen();
    page = await openPage(browser, { viewport: { width: 1100, height: 800 }, colorScheme: 'dark' });
    page.on('request', (request) => asked.push(request.url()));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${address}/${query}`);
  }

  beforeEach(() => {
    asked = [];
    complaints = [];
  });
  afterEach(async () => {
    await page.close();
    await server.close();
    expect(complaints).toEqual([]);
    expect(asked.filter((url) => !url.startsWith(`${address}/`) && !/^(blob|data):/.test(url))).toEqual([]);
  });

  const text = (id: string) => page.locator(`#${id}`).textContent();
  const message = (pattern: RegExp) => page.locator('#message').filter({ hasText: pattern }).waitFor();
  const ready = (backend: string) =>
    page.waitForFunction((name) => {
      const choice = document.getElementById('backend') as HTMLSelectElement;
      return choice.value === name;
    }, backend);
  const openScan = async (name = 'scan.png') => {
    await page.locator('#file').setInputFiles(join(dir, name));
    await message(/pixels/);
  };
  const look = async () => {
    await page.locator('#prompt').fill(PROMPT);
    await page.locator('#find').click();
    await message(/found in/);
    await page.locator('#threshold').fill(String(FLOOR));
  };
  const tensors = () =>
    page
      .workers()[0]
      ?.evaluate(() => (globalThis as unknown as { tf: typeof import('@tensorflow/tfjs') }).tf.memory().numTensors);

  async function exported(): Promise<Exported> {
    const [file] = await Promise.all([page.waitForEvent('download'), page.locator('[data-export=json]').click()]);
    return JSON.parse(await readFile(await file.path(), 'utf8'));
  }

  /** The same things at the same places as in Node: sums are in another order, and WebGPU and WebGL have functions of their own. */
  function expectAsInNode({ segments }: Exported, title: string, tolerance: { score: number; px: number; mask: number }): void {
    expect(segments.map(({ phrase }) => phrase)).toEqual(expected.map(({ phrase }) => phrase));
    const worst = { score: 0, px: 0, mask: 0 };
    for (const [
      i,
      {
        score,
        bbox: [x, y, w, h],
        mask_score,
        mask,
      },
    ] of segments.entries()) {
      const own = expected[i] as Segment;
      worst.score = Math.max(worst.score, Math.abs((score as number) - own.score), Math.abs(mask_score - own.maskScore));
      for (const [side, value] of [x, y, x + w, y + h].entries())
        worst.px = Math.max(worst.px, Math.abs(value - (own.boxXyxyPx[side] as number)));
      const { data } = decodeRle(mask.counts, image.width, image.height);
      const differing = data.reduce((sum, value, k) => sum + Number(value !== own.mask.data[k]), 0);
      worst.mask = Math.max(worst.mask, differing / data.length);
    }
    process.stderr.write(
      `${title}: ${segments.length} as in Node: scores to ${worst.score.toExponential(1)}, boxes to ${worst.px.toExponential(1)} pixels, masks to ${worst.mask.toExponential(1)} of the pixels\n`,
    );
    for (const key of ['score', 'px', 'mask'] as const) expect(worst[key]).toBeLessThan(tolerance[key]);
  }

  it('finds what Node finds, by WebAssembly, and leaves no tensor behind', async () => {
    await open(site, '?backend=wasm');
    await ready('wasm');
    expect(await text('models')).toMatch(/nano-grounding-dino \+ nano-sam2/);
    expect(await page.locator('#choice').getAttribute('title')).toBe('SIMD');
    await openScan();
    await look();
    const before = await tensors();
    expectAsInNode(await exported(), 'WebAssembly', { score: 1e-4, px: 0.02, mask: 1e-3 });
    await look();
    await look();
    expect(await tensors()).toBe(before);
    const folder = process.env['SONOGROUND_SCREENSHOTS'];
    if (folder !== undefined) {
      await page.locator('#threshold').fill('0.2');
      await mkdir(folder, { recursive: true });
      await page.screenshot({ path: join(folder, 'static-page.png') });
    }
  });

  it('outlines a box as it is drawn, as Node does', async () => {
    await open(site, '?backend=wasm');
    await openScan();
    const canvas = await page.locator('#canvas').boundingBox();
    if (canvas === null) throw new Error('the canvas is not to be seen');
    const at = (x: number, y: number) => [canvas.x + x * canvas.width, canvas.y + y * canvas.height] as const;
    await page.mouse.move(...at(0.6, 0.2));
    await page.mouse.down();
    await page.mouse.move(...at(0.95, 0.7), { steps: 4 });
    await page.mouse.up();
    await message(/Mask of \d+ pixels/);
    const { segments } = await exported();
    const [x, y, w, h] = segments[0]?.bbox ?? [0, 0, 0, 0];
    await segmenter.masker.setImage(image);
    const [own] = await segmenter.masker.predictBoxes([[x, y, x + w, y + h]]);
    const { data } = decodeRle(segments[0]?.mask.counts ?? '', image.width, image.height);
    const differing = data.reduce((sum, value, k) => sum + Number(value !== own?.mask.data[k]), 0);
    expect(differing / data.length).toBeLessThan(1e-3);
    expect(Math.abs((segments[0]?.mask_score ?? 0) - (own?.score ?? 1))).toBeLessThan(1e-4);
  });

  it('takes what there is, says why, and changes over with the image on', async () => {
    await open(site);
    await ready('wasm');
    expect(await text('notice')).toMatch(/^WebAssembly computes\. WebGPU: .+\. WebGL: .+\.$/);
    await openScan();
    await look();
    // Asked for by name and not to be had: the next best goes on, with the image.
    await page.locator('#backend').evaluate((select) => {
      (select as HTMLSelectElement).value = 'webgpu';
      select.dispatchEvent(new Event('change'));
    });
    await page.locator('#backend:disabled').waitFor({ state: 'attached' });
    await ready('wasm');
    await page.waitForFunction(() => document.body.ariaBusy === 'false');
    await look();
    expectAsInNode(await exported(), 'WebAssembly after a change', { score: 1e-4, px: 0.02, mask: 1e-3 });
  });

  it('asks nobody but its own server, not even the thread that computes', async () => {
    await open(site, '?backend=wasm');
    await openScan();
    await look();
    const other = new StaticServer(site);
    const elsewhere = await other.listen();
    try {
      const reach = async (url: string) =>
        fetch(url, { mode: 'no-cors' }).then(
          () => 'came through',
          () => 'refused',
        );
      expect(await page.workers()[0]?.evaluate(reach, `${elsewhere}/worker`)).toBe('refused');
      expect(await page.evaluate(reach, `${elsewhere}/page`)).toBe('refused');
      expect(other.asked).toEqual([]);
    } finally {
      await other.close();
    }
    complaints = complaints.filter((line) => !/Content Security Policy/.test(line));
    asked = asked.filter((url) => !url.startsWith(elsewhere));
    expect(await readFile(join(site, 'LICENSES.txt'), 'utf8')).toMatch(/^@tensorflow\/tfjs-core 4\.22\.0, Apache-2\.0$/m);
    // What was read of the image went nowhere: the server was asked for its own files alone.
    expect(server.asked.filter((path) => !/\.(js|css|json|bin|wasm)$|^\/$/.test(path))).toEqual([]);
  });

  it('reports in one line what is wrong with an image, and stays usable', async () => {
    await writeFile(join(dir, 'bad.png'), 'not an image');
    await open(site, '?backend=wasm');
    await page.locator('#file').setInputFiles(join(dir, 'bad.png'));
    await message(/^image: it cannot be read as an image\. Choose a complete PNG/);
    const png = await readFile(join(dir, 'scan.png'));
    const jpeg = await sharp(png).jpeg().toBuffer();
    const deep = await sharp(new Uint16Array(64).fill(3000), { raw: { width: 8, height: 8, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer();
    const size = { width: 4, height: 4, frames: [new Uint8Array(16)] } as const;
    for (const [name, bytes, pattern] of [
      ['cut.png', png.subarray(0, png.length / 2), /cannot be read as an image/],
      ['cut.jpg', jpeg.subarray(0, jpeg.length / 2), /cannot be read as an image/],
      ['deep.png', deep, /it has 16 bits a sample, of which a browser keeps 8/],
      ['cut.dcm', dicom(size).subarray(0, 300), /it is damaged or cut off|holds no image|has no/],
      ['jpeg-ls.dcm', dicom({ ...size, syntax: SYNTAX.jpegLs }), /packed as JPEG-LS, which is not read in a browser/],
    ] as const) {
      await writeFile(join(dir, name), bytes);
      await page.locator('#file').setInputFiles(join(dir, name));
      await message(pattern);
    }
    await openScan();
    expect(await text('message')).toBe('320 × 240 pixels');
  });

  it('reads DICOM and JPEG as Node does, to the pixel', async () => {
    const grey = Uint8Array.from({ length: 48 * 40 }, (_, i) => (i * 37 + (i >> 6)) % 256);
    const smooth = Uint8Array.from({ length: 48 * 40 }, (_, i) => 2 * (i % 48) + 2 * Math.floor(i / 48));
    const jpeg = async (data: Uint8Array) =>
      sharp(data, { raw: { width: 48, height: 40, channels: 1 } })
        .toColourspace('b-w')
        .jpeg()
        .toBuffer();
    const deep = Uint8Array.from({ length: 2 * 48 * 40 }, (_, i) => (i % 2 === 0 ? (i * 7) % 256 : (i >> 9) % 16));
    const size = { width: 48, height: 40 } as const;
    const files: Record<string, Uint8Array> = {
      'scan.jpg': await sharp(await encodePng(image))
        .jpeg()
        .toBuffer(),
      'native.dcm': dicom({ ...size, frames: [grey] }),
      'deep.dcm': dicom({
        ...size,
        frames: [deep],
        bits: 12,
        more: { '00281050': { vr: 'DS', Value: ['900'] }, '00281051': { vr: 'DS', Value: ['2000'] } },
      }),
      'packed.dcm': dicom({ ...size, frames: [rleFrame([grey])], syntax: SYNTAX.rle }),
      'film.dcm': dicom({ ...size, frames: [await jpeg(smooth), await jpeg(grey)], syntax: SYNTAX.jpeg }),
    };
    await open(site, '?backend=wasm');
    // What the engine sends to be shown is the image that it looks at.
    await page.evaluate(() => {
      const original = createImageBitmap;
      globalThis.createImageBitmap = async (blob: ImageBitmapSource) => {
        const bytes = new Uint8Array(await (blob as Blob).arrayBuffer());
        seen.png ??= btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
        return original(blob);
      };
      Object.assign(globalThis, { seen: {} });
    });
    for (const [name, bytes] of Object.entries(files)) {
      await writeFile(join(dir, name), bytes);
      // Of a clip, the next frames are read ahead.
      await page.evaluate(() => {
        seen.png = undefined;
      });
      await openScan(name);
      // The message may still be the previous file's.
      const png = await page.waitForFunction(() => seen.png);
      const several = name === 'film.dcm';
      // Frames are shown as a clip.
      if (several) await page.waitForFunction(() => document.getElementById('clip-canvas')?.dataset['frame'] === '0');
      expect(await page.locator('#clip').isVisible()).toBe(several);
      const own = await decodeImage(join(dir, several ? `${name}#0` : name));
      const shown = await decodeImage(Buffer.from(String(await png.jsonValue()), 'base64'));
      expect([name, shown.width, shown.height]).toEqual([name, own.width, own.height]);
      const off = shown.data.reduce((most, value, i) => Math.max(most, Math.abs(value - (own.data[i] as number))), 0);
      process.stderr.write(`${name}: the browser's pixels differ by at most ${off}\n`);
      expect(off).toBe(0);
    }
  });

  it.each([
    ['manifest.json', /^http:\/\/\S+\/manifest\.json: there is no such file\. Copy the whole folder that the export wrote$/],
    ['detector/model.json', /detector\/model\.json: there is no such file\. Copy all files of the export$/],
    ['engine.js', /^engine\.js: it cannot be loaded\. Copy the whole folder/],
  ])('reports in one line that %s is missing', async (name, pattern) => {
    const broken = join(dir, `broken-${name.replaceAll('/', '-')}`);
    await cp(site, broken, { recursive: true });
    await rm(join(broken, name));
    await open(broken);
    await message(pattern);
    // The browser itself reports an answer of 404.
    complaints = complaints.filter((line) => !/status of 404/.test(line));
  });

  const GRAPHICS = {
    webgl: ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
    webgpu: [
      '--enable-unsafe-webgpu',
      '--use-webgpu-adapter=swiftshader',
      '--enable-features=Vulkan',
      '--use-vulkan=swiftshader',
    ],
  } as const;

  (notSlow === undefined ? it : it.skip).each(['webgl', 'webgpu'] as const)(
    skippedName(notSlow, 'finds what Node finds, by %s'),
    async (backend) => {
      const browser = await openBrowser(GRAPHICS[backend]);
      await open(site, `?backend=${backend}`, browser);
      await page.waitForFunction(() => !(document.getElementById('choice') as HTMLElement).hidden, null);
      expect([await page.locator('#backend').inputValue(), await text('notice')]).toEqual([backend, '']);
      await openScan();
      await look();
      const before = await tensors();
      expectAsInNode(await exported(), backend, { score: 1e-3, px: 0.1, mask: 3e-3 });
      await look();
      expect(await tensors()).toBe(before);
      await browser.close();
    },
  );

  it('fits a phone', async () => {
    await open(site, '?backend=wasm');
    await page.setViewportSize({ width: 390, height: 844 });
    await openScan();
    await look();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    const folder = process.env['SONOGROUND_SCREENSHOTS'];
    if (folder !== undefined) await page.screenshot({ path: join(folder, 'static-phone.png'), fullPage: true });
  });

  it('exports images', async () => {
    await open(site, '?backend=wasm');
    await openScan();
    await look();
    const [file] = await Promise.all([page.waitForEvent('download'), page.locator('[data-export=png]').click()]);
    const { width, height } = await decodeImage(await file.path());
    expect([width % 320, height % 240]).toEqual([0, 0]);
  });
});
