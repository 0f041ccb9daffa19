import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { commands } from '../../src/cli/commands.js';
import { main } from '../../src/cli/main.js';
import { browserMissing, openBrowser, openPage } from '../support/browser.js';
import { imageOfSeed, pipeline, writeSet } from '../support/coco-set.js';
import { itUnless } from '../support/skipped.js';

let dir: string;
let output = '';
const cache = process.env['XDG_CACHE_HOME'];
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sonoground-check-data-'));
  process.env['XDG_CACHE_HOME'] = join(dir, 'cache');
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    output += text;
    return true;
  });
});
afterAll(async () => {
  jest.restoreAllMocks();
  if (cache === undefined) delete process.env['XDG_CACHE_HOME'];
  else process.env['XDG_CACHE_HOME'] = cache;
  process.exitCode = 0;
  await rm(dir, { recursive: true, force: true });
});

/** Runs the command; the exit code is the one that the process would end with. */
async function run(...args: string[]): Promise<number> {
  output = '';
  process.exitCode = 0;
  const code = await main(['check-data', ...args], commands);
  return code === 0 ? Number(process.exitCode ?? 0) : code;
}

describe('npm run check-data', () => {
  it('writes audit.json and a page beside the data and ends with 0 when there is nothing worse than a warning', async () => {
    const root = join(dir, 'clean');
    await writeSet(root, { train: [{ file: 'a.png' }], test: [{ file: 'b.png', seed: 8, annotation: { bbox: [1, 1, 3, 3] } }] });
    expect(await run('--data', root)).toBe(0);
    expect(output).toMatch(/clean: train 1, test 1/);
    const report = JSON.parse(await readFile(join(root, 'audit.json'), 'utf8'));
    expect(report).toMatchObject({ errors: 0, images: 2 });
    expect(await readFile(join(root, 'audit.html'), 'utf8')).toContain('<!doctype html>');
    expect(await run('--data', root)).toBe(0);
    expect(output).toMatch(/2 images \(2 from the cache\): 0 errors/);
  });

  it('ends with 1 when an image is in two splits', async () => {
    const bytes = await pipeline(imageOfSeed(0).image).flop().linear(1, 20).jpeg({ quality: 80 }).toBuffer();
    const root = join(dir, 'leaking & <b>');
    await writeSet(root, { train: [{ file: 'a.png' }], val: [{ file: 'leak.jpg', bytes }] });
    expect(await run('--data', root, '--out', join(dir, 'out'))).toBe(1);
    expect(output).toMatch(/error: leaking & <b> train images\/a\.png and leaking & <b> val images\/leak\.jpg are similar/);
    expect(existsSync(join(root, 'audit.json'))).toBe(false);
  });

  it('reports what is wrong with a folder without a stack trace', async () => {
    expect(await run('--data', join(dir, 'nowhere'))).toBe(1);
    expect(output).toMatch(/^error: .*nowhere: there is no such folder\. Check the path \[E_FILE_NOT_FOUND\]\n$/);
    await writeFile(join(dir, 'file'), '');
    expect(await run('--data', join(dir, 'file'))).toBe(1);
    expect(output).toMatch(/file: there is no such folder/);
  });
});

describe('the page', () => {
  itUnless(browserMissing, 'opens from the disk in a browser, whole and without asking for anything', async () => {
    const browser = await openBrowser();
    try {
      const page = await openPage(browser);
      const asked: string[] = [];
      const complaints: string[] = [];
      page.on('request', (request) => asked.push(request.url()));
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(String(error)));
      const url = pathToFileURL(join(dir, 'out', 'audit.html')).href;
      await page.goto(url);
      expect(asked.filter((address) => !address.startsWith('data:'))).toEqual([url]);
      expect(complaints).toEqual([]);
      expect(await page.locator('.pair figcaption').allTextContents()).toEqual([
        'leaking & <b> train: images/a.png',
        'leaking & <b> val: images/leak.jpg',
      ]);
      const widths = await page
        .locator('img')
        .evaluateAll((images) => images.map((image) => (image as HTMLImageElement).naturalWidth));
      expect(widths.length).toBe(4);
      expect(Math.min(...widths)).toBeGreaterThan(0);
      expect(await page.locator('b').count()).toBe(0);
    } finally {
      await browser.close();
    }
  });
});
