/**
 * The page that computes in the browser, in Chromium: from the address to a page that is ready, the first answer, and further ones.
 *
 *   node bench/static-page.mjs [--backends wasm,wasm-threads,webgpu] [--runs 5] [--dtype float32] [--image FILE] [--prompt WORDS]
 *
 * The shipped models. `wasm-threads` is served with the headers that isolate a page, without which browsers give no threads;
 * `webgpu` runs on SwiftShader, which the processor imitates: it shows that it works, not how fast a GPU is. Each backend gets a
 * browser of its own. Prints medians with the range by the clock and of processor time of all of its processes, the bytes that were
 * fetched, and the peak memory of the largest process. A further answer is to another prompt on the same image, or to another image.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { root } from '../scripts/lib/places.mjs';
import { treeCost } from './lib/process-tree.mjs';

const { values: options } = parseArgs({
  options: {
    backends: { type: 'string', default: 'wasm,wasm-threads,webgpu' },
    runs: { type: 'string', default: '5' },
    dtype: { type: 'string', default: 'float32' },
    image: { type: 'string', default: join(root, 'examples', 'nerve-and-vessel-1.jpg') },
    other: { type: 'string', default: join(root, 'examples', 'nerve-and-vessel-2.jpg') },
    prompt: { type: 'string', default: 'blood vessel' },
  },
});

const SWIFTSHADER = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'];
const WAYS = {
  wasm: { backend: 'wasm', headers: {}, args: ['--disable-gpu'] },
  'wasm-threads': {
    backend: 'wasm',
    headers: { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' },
    args: ['--disable-gpu'],
  },
  webgpu: { backend: 'webgpu', headers: {}, args: SWIFTSHADER },
};
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm' };

const dir = mkdtempSync(join(tmpdir(), 'sonoground-page-'));
try {
  const site = join(dir, 'site');
  const argv = ['export', '--to', site, '--format', 'web-page', '--dtype', options.dtype];
  execFileSync(process.execPath, [join(root, 'scripts', 'run.mjs'), ...argv], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  for (const name of options.backends.split(',')) {
    if (!(name in WAYS)) throw new Error(`no way is called "${name}". Choose from ${Object.keys(WAYS).join(', ')}`);
    await measure(name, WAYS[name], site);
  }
} catch (error) {
  console.error(`static-page: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}

async function measure(name, { backend, headers, args }, site) {
  const sent = { bytes: 0 };
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const file = join(site, pathname.endsWith('/') ? `${pathname}index.html` : pathname);
    const bytes = await readFile(file).catch(() => undefined);
    sent.bytes += bytes?.length ?? 0;
    response.writeHead(bytes === undefined ? 404 : 200, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      ...headers,
    });
    response.end(bytes);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const executablePath = process.env.SONOGROUND_CHROMIUM ?? '/usr/bin/chromium';
  const launched = await chromium.launchServer({ executablePath, args: ['--no-sandbox', ...args], timeout: 0 });
  const browser = await chromium.connect(launched.wsEndpoint());
  const cost = () => treeCost(launched.process().pid);
  const timed = async (work) => {
    const [begin, used] = [performance.now(), cost().seconds];
    await work();
    return { clock: (performance.now() - begin) / 1000, processor: cost().seconds - used };
  };
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    const said = (pattern) => page.locator('#message').filter({ hasText: pattern }).waitFor();
    const show = async (file) => {
      await page.locator('#file').setInputFiles(file);
      await said(/pixels/);
    };
    const ask = async (prompt) => {
      await page.locator('#prompt').fill(prompt);
      // Its message stays until the next answer.
      await page.locator('#message').evaluate((message) => {
        message.textContent = '';
      });
      await page.locator('#find').click();
      await said(/found in/);
    };
    const start = await timed(async () => {
      await page.goto(`http://127.0.0.1:${server.address().port}/?backend=${backend}`);
      await page.waitForFunction(() => {
        const choice = document.getElementById('backend');
        return choice.value !== '' && !choice.disabled && !document.getElementById('choice').hidden;
      });
    });
    const used = await page.locator('#backend').inputValue();
    const facts = await page.evaluate(() => ({
      device: document.getElementById('choice').title,
      notice: document.getElementById('notice').textContent,
      isolated: globalThis.crossOriginIsolated,
    }));
    if (used !== backend) throw new Error(`${name}: ${used} computes instead. ${facts.notice}`);
    await show(options.image);
    const first = await timed(() => ask(options.prompt));
    const answer = await page.locator('#message').textContent();
    const [prompts, images] = [[], []];
    for (let i = 0; i < Number(options.runs); i++) {
      prompts.push(await timed(() => ask(i % 2 === 0 ? 'nerve' : options.prompt)));
      await show(i % 2 === 0 ? options.other : options.image);
      images.push(await timed(() => ask(options.prompt)));
    }
    console.log(`${name}: ${facts.device || 'no name'}; ${facts.isolated ? 'isolated' : 'not isolated'}; "${answer}"`);
    console.log(`  ready ${shown([start])}; first answer ${shown([first])}`);
    console.log(`  another prompt on the image ${shown(prompts)}; another image ${shown(images)}`);
    console.log(`  fetched ${(sent.bytes / 1e6).toFixed(1)} MB; largest process at most ${cost().peakMb.toFixed(0)} MB`);
  } finally {
    await browser.close();
    await launched.close();
    server.closeAllConnections();
    server.close();
  }
}

function shown(times) {
  const part = (pick) => {
    const sorted = times.map(pick).sort((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)].toFixed(2);
    return sorted.length === 1 ? median : `${median} (${sorted[0].toFixed(2)} to ${sorted.at(-1).toFixed(2)})`;
  };
  return `${part(({ clock }) => clock)} s, ${part(({ processor }) => processor)} s of processor time`;
}
