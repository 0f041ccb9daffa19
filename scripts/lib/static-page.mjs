/**
 * Bundles the page that runs in the browser: `index.html`, `style.css`, `page.js`, `engine.js`, TensorFlow.js's WebAssembly and
 * all licences. `export --format web-page` adds a model.
 */
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { modulesDir, root } from './places.mjs';
import { SetupError } from './say.mjs';

const SOURCES = join(root, 'src');

/** Packages that run in browsers. All others are only for Node. */
const PORTABLE = /^(@tensorflow\/tfjs(-.*)?|@huggingface\/tokenizers|zod|dicom-parser)$/;

/** The last one is fetched where the server's headers let browsers give threads. */
const WASM = ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm', 'tfjs-backend-wasm-threaded-simd.wasm'];

/** The page's script element for unbundled modules, and its replacement. Modules cannot be loaded from a disk. */
const MODULES = '<script type="module" src="web/page/main.js"></script>';
const BUNDLE = '<script defer src="page.js"></script>';

/** @throws SetupError if the bundler is not available; Error if bundling fails. */
export async function buildStaticPage(to) {
  const { build } = await bundler();
  await mkdir(to, { recursive: true });
  const { metafile } = await build({
    entryPoints: { page: join(SOURCES, 'web', 'worker', 'main.ts'), engine: join(SOURCES, 'web', 'worker', 'worker.ts') },
    outdir: to,
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    conditions: ['sonoground-source'], // `#platform/…`: with `browser`, which the platform implies
    legalComments: 'none', // included in the licence file
    metafile: true,
    logLevel: 'silent',
    plugins: [house],
  });
  const strangers = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  if (strangers.length > 0) throw new Error(`browsers do not have ${[...new Set(strangers)].join(', ')}`);
  await writeFile(join(to, 'LICENSES.txt'), await licences(Object.keys(metafile.inputs)));
  await copyFile(join(SOURCES, 'web', 'style.css'), join(to, 'style.css'));
  for (const name of WASM) await copyFile(join(modulesDir, '@tensorflow', 'tfjs-backend-wasm', 'dist', name), join(to, name));
  const html = await readFile(join(SOURCES, 'web', 'index.html'), 'utf8');
  if (!html.includes(MODULES)) throw new Error(`src/web/index.html has no ${MODULES}`);
  // Written last: its presence implies the others.
  await writeFile(join(to, 'index.html'), html.replace(MODULES, BUNDLE));
}

/** Its executable is a package per system, which npm may have skipped. */
export async function bundler() {
  try {
    const esbuild = await import('esbuild');
    await esbuild.transform('');
    return esbuild;
  } catch {
    throw new SetupError('esbuild is not there for this system; `npm ci --include=optional` installs it');
  }
}

/** The licences of each bundled package and of this project. */
async function licences(inputs) {
  const names = new Set(inputs.flatMap((path) => path.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? []));
  const texts = [`sonoground\n\n${await readFile(join(root, 'LICENSE'), 'utf8')}`];
  for (const name of [...names].sort()) {
    const dir = join(modulesDir, name);
    const { version, license } = JSON.parse(await readFile(join(dir, 'package.json'), 'utf8'));
    const file = (await readdir(dir)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? '' : `\n${await readFile(join(dir, file), 'utf8')}`;
    texts.push(`${name} ${version}, ${license}\n${text}`);
  }
  return texts.join(`\n${'-'.repeat(80)}\n`);
}

/**
 * No module of this project has side effects, so of a folder entered through its index only the used exports are kept. Packages
 * that run in Node alone are left out: an import of one that stays is an error.
 */
const house = {
  name: 'house',
  setup(build) {
    build.onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir }) => {
      if (!resolveDir.startsWith(SOURCES)) return undefined;
      return { path: join(resolveDir, path.replace(/\.js$/, '.ts')), sideEffects: false };
    });
    build.onResolve({ filter: /^[^./#]/ }, ({ path, resolveDir, kind }) => {
      if (kind === 'entry-point' || !resolveDir.startsWith(SOURCES) || PORTABLE.test(path)) return undefined;
      return { path, external: true, sideEffects: false };
    });
  },
};
