import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import { decodeImage, drawOverlay, lettersLacking } from '../../src/imaging/index.js';
import { OverlayFont } from '../../src/imaging/overlay-font.js';
import { fitText, paintText, renderText, textWidth, wrapText } from '../../src/imaging/text-line.js';

const font = OverlayFont.load();
const inked = ({ coverage }: { readonly coverage: Uint8Array }) => coverage.filter((value) => value > 127).length;
const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** All characters that the font says it has. */
const TABLE: Readonly<Record<string, readonly number[]>> = JSON.parse(
  readFileSync('assets/fonts/sonoground-sans.json', 'utf8'),
).widths;
const LETTERS = Object.entries(TABLE).flatMap(([first, widths]) =>
  widths.map((_width, i) => String.fromCodePoint(Number.parseInt(first, 16) + i)),
);

describe('the font of overlays', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sonoground-font-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('draws every letter that it counts as its own', async () => {
    expect(LETTERS.length).toBeGreaterThan(1000);
    const blank: string[] = [];
    // A mark is drawn over a letter.
    const marks = LETTERS.filter((letter) => /\p{M}/u.test(letter));
    const bare = hash((await renderText('o', 24)).coverage);
    for (const mark of marks) if (hash((await renderText(`o${mark}`, 24)).coverage) === bare) blank.push(mark);
    // What is composed of others, or stands for another, is drawn as those.
    const others = LETTERS.filter((letter) => !/[\p{M}\s]/u.test(letter) && letter.normalize('NFC') === letter);
    for (let start = 0; start < others.length; start += 50) {
      const group = others.slice(start, start + 50);
      const { width, height, coverage } = await renderText(group.join(''), 24);
      for (const [i, letter] of group.entries()) {
        const from = font.widthOf(group.slice(0, i).join('')) * 24;
        const columns = Array.from({ length: Math.round(font.widthOf(letter) * 24) }, (_, x) => Math.round(from) + x);
        const drawn = columns.some((x) => Array.from({ length: height }).some((_, y) => Number(coverage[y * width + x]) > 100));
        if (!drawn) blank.push(letter);
      }
    }
    expect(blank).toEqual([]);
  });

  it('is broken between words, and a word wider than the room is truncated', () => {
    const name = 'samus, random weights (centre of our box)';
    const lines = wrapText(name, 16, 240);
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.join(' ')).toBe(name);
    expect(lines.every((line) => textWidth(line, 16) <= 240)).toBe(true);
    expect(wrapText('ours', 16, 240)).toEqual(['ours']);
    const [long, short] = wrapText(`${'m'.repeat(60)} second`, 16, 240);
    expect([long?.endsWith('…'), short]).toEqual([true, 'second']);
  });

  const PHRASE = 'Malignant lesion, опухоль, κύστη 0.91';

  /** The hash of the phrase as a process of its own draws it. */
  async function drawnApart(name: string, before = '', env: NodeJS.ProcessEnv = process.env): Promise<string> {
    const code = join(dir, name, 'a', 'b', 'text-line.mjs');
    mkdirSync(join(dir, name, 'a', 'b'), { recursive: true });
    for (const folder of ['assets', 'node_modules']) symlinkSync(resolve(folder), join(dir, name, folder));
    await build({
      entryPoints: [resolve('src', 'imaging', 'text-line.ts')],
      outfile: code,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      logLevel: 'silent',
    });
    const script = `
      const { createHash } = await import('node:crypto');
      const { createRequire } = await import('node:module');
      const sharp = createRequire(${JSON.stringify(code)})('sharp');
      ${before}
      const { renderText } = await import(${JSON.stringify(code)});
      const { coverage } = await renderText(${JSON.stringify(PHRASE)}, 20);
      process.stdout.write(createHash('sha256').update(coverage).digest('hex'));`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { env, encoding: 'utf8' });
    expect(child.stderr).toBe('');
    return child.stdout;
  }

  it('draws the same on a machine without fonts, without a warning', async () => {
    // A configuration that names no folder with fonts.
    const FONTCONFIG_FILE = resolve('assets', 'fonts', 'fonts.conf');
    const env = { PATH: process.env['PATH'], HOME: join(dir, 'nobody'), FONTCONFIG_FILE };
    expect(await drawnApart('no-fonts', '', env)).toBe(hash((await renderText(PHRASE, 20)).coverage));
  });

  it('draws the same in a program that has drawn other text before, on all of its threads', async () => {
    const other = `
      const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><text y="15">other</text></svg>');
      await Promise.all(Array.from({ length: 16 }, () => sharp(svg).png().toBuffer()));
      await sharp({ text: { text: 'other' } }).png().toBuffer();`;
    expect(await drawnApart('other-text', other)).toBe(hash((await renderText(PHRASE, 20)).coverage));
  });

  it.each([
    ['肿瘤 tumour', 'U+80BF U+7624 tumour', ['肿', '瘤']],
    ['ورم', 'U+0648 U+0631 U+0645', ['و', 'ر', 'م']],
    ['🫀', 'U+1FAC0', ['🫀']],
    ['a\u202eb', 'a U+202E b', ['\u202e']],
    ['a\u0000b', 'a U+0000 b', ['\u0000']],
    ['\ud800', 'U+D800', ['\ud800']],
    ['  two\n\tlines ', 'two lines', []],
    ['e\u0301', 'é', []],
    ['', '', []],
  ])('spells out missing glyphs instead of drawing boxes (%j)', (text, spelt, lacking) => {
    expect(font.spell(text)).toBe(spelt);
    expect(lettersLacking([text])).toEqual(lacking);
    expect(font.spell(spelt)).toBe(spelt);
  });
});

describe('a line of text', () => {
  it.each(['Cyst', 'cyst', 'CYST'].flatMap((a, i, all) => all.slice(i + 1).map((b) => [a, b])))(
    'tells %s from %s',
    async (a, b) => {
      const [first, second] = [await renderText(a, 20), await renderText(b, 20)];
      expect(hash(first.coverage)).not.toBe(hash(second.coverage));
    },
  );

  it.each([8, 14, 20, 80])('is as wide as measured, with nothing cut off (%d pixels)', async (size) => {
    const { width, height, coverage } = await renderText('|Ågreement q|', size);
    const column = (x: number) => Array.from({ length: height }, (_, y) => coverage[y * width + x] as number);
    const first = Array.from({ length: width }, (_, x) => x).find((x) => Math.max(...column(x)) > 60) ?? width;
    const last = Array.from({ length: width }, (_, x) => x).findLast((x) => Math.max(...column(x)) > 60) ?? 0;
    // The bar has about a quarter of an em on each side of it.
    expect(first).toBeGreaterThan(0.1 * size);
    expect(width - 1 - last).toBeGreaterThan(0.1 * size);
    expect(Math.abs(width - 1 - last - first)).toBeLessThanOrEqual(2);
    expect(Math.max(...coverage.subarray(0, width))).toBeLessThan(64);
    expect(Math.max(...coverage.subarray((height - 1) * width))).toBeLessThan(128);
  });

  it.each([
    '</text><rect width="9999" height="9999"/><text>',
    '<image href="file:///etc/hostname" width="100" height="100"/>',
    '&lt;b&gt; &amp; <!-- --> ]]> &#65;',
    '"\' & <?xml?> <![CDATA[x]]>',
  ])('renders markup literally (%s)', async (text) => {
    const { width, height, coverage } = await renderText(text, 20);
    expect(width).toBe(Math.ceil([...text].reduce((sum, letter) => sum + font.widthOf(letter), 0) * 20));
    expect(coverage.length).toBe(width * height);
    const share = inked({ coverage }) / coverage.length;
    expect(share).toBeGreaterThan(0.03);
    expect(share).toBeLessThan(0.4);
  });

  it.each([10, 60, 200, 1000])('is cut to %d pixels, keeping its end', (room) => {
    const cut = fitText('malignant lesion of the left breast', ' 0.91', 16, room);
    expect(cut).toMatch(/ 0\.91$/);
    if (room >= 60) expect(textWidth(cut, 16)).toBeLessThanOrEqual(room);
    const whole = textWidth('malignant lesion of the left breast 0.91', 16) <= room;
    expect(cut.includes('…')).toBe(!whole);
    // No letter more would have fitted.
    if (!whole && room >= 60) {
      const kept = cut.indexOf('…');
      expect(textWidth(`${'malignant lesion of the left breast'.slice(0, kept + 1)}… 0.91`, 16)).toBeGreaterThan(room);
    }
  });

  it('is painted where it overlaps the image, and nowhere else', () => {
    const line = { width: 2, height: 2, coverage: Uint8Array.of(255, 128, 0, 255) };
    const painted = (left: number, top: number) => {
      const canvas = { width: 2, height: 2, data: new Uint8Array(12).fill(100) };
      paintText(canvas, line, left, top, [200, 0, 100]);
      return [0, 3, 6, 9].map((i) => canvas.data[i]);
    };
    expect(painted(0, 0)).toEqual([200, 150, 100, 200]);
    expect(painted(1, 1)).toEqual([100, 100, 100, 200]);
    expect(painted(-1, -1)).toEqual([200, 100, 100, 100]);
    expect(painted(5, -7)).toEqual([100, 100, 100, 100]);
  });
});

describe('labels of an overlay', () => {
  const DARK = 20;

  /** Pixels of the label's own colour, or of its letters, in an overlay of one image with one box. */
  async function labelled(width: number, height: number, level: number, phrase: string) {
    const image = { width, height, data: new Uint8Array(width * height * 3).fill(level) };
    const overlay = await decodeImage(
      await drawOverlay(image, [{ phrase, score: 0.5, boxXyxyPx: [0.3 * width, 0.5 * height, 0.6 * width, 0.8 * height] }]),
    );
    const rows = new Set<number>();
    let letters = 0;
    for (let i = 0; i < overlay.width * overlay.height; i++) {
      const [r = 0, g = 0, b = 0] = overlay.data.subarray(3 * i, 3 * i + 3);
      // On the label's orange, letters are black: between the two there is no blue.
      if (r !== g && b === 0) rows.add(Math.floor(i / overlay.width));
      if (r === 0 && g === 0 && b === 0) letters += 1;
    }
    return { overlay, letters, rows: rows.size };
  }

  it.each([
    [128, 128, DARK],
    [128, 128, 235],
    [2000, 2000, DARK],
    [2000, 2000, 235],
  ])('have letters of a constant relative size (%d x %d, level %d)', async (width, height, level) => {
    const { overlay, letters } = await labelled(width, height, level, 'malignant lesion');
    const share = letters / (overlay.width * overlay.height);
    expect(share).toBeGreaterThan(0.0015);
    expect(share).toBeLessThan(0.02);
  });

  it('stay whole when they are longer than the image is wide: the label is cut, the score is not', async () => {
    const { overlay, letters } = await labelled(64, 64, DARK, 'lesion '.repeat(20_000));
    expect([overlay.width, overlay.height]).toEqual([512, 512]);
    expect(letters).toBeGreaterThan(100);
  });

  it.each([
    [1, 1],
    [4096, 1],
    [1, 4096],
    [3000, 30],
  ])('fit into an image of %d x %d', async (width, height) => {
    await expect(labelled(width, height, DARK, 'cyst 肿瘤')).resolves.toMatchObject({});
  });
});
