/**
 * Bundles the page that computes in the browser: `index.html`, `style.css`, `page.js`, `engine.js`, TensorFlow.js's WebAssembly and
 * the licences of all that. `export --format web-page` lays a model beside them.
 */
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { modulesDir, root } from './places.mjs';
import { SetupError } from './say.mjs';

const SOURCES = join(root, 'src');

/** The packages that run in browsers. All others are Node's alone. */
const PORTABLE = /^(@tensorflow\/tfjs(-.*)?|@huggingface\/tokenizers|zod|dicom-parser)$/;

/** Without threads: they want headers that a plain web server does not send. */
const WASM = ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm'];

/** The element of the page that loads its modules one by one, and what takes its place. A module would not run from a disk. */
const MODULES = '<script type="module" src="web/page/main.js"></script>';
const BUNDLE = '<script defer src="page.js"></script>';

/** @throws SetupError where the bundler is not to be had; Error when something cannot be bundled. */
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
    legalComments: 'none', // they are with the licences
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
  // The last: where it is, the others are.
  await writeFile(join(to, 'index.html'), html.replace(MODULES, BUNDLE));
}

/** Its program is a package for each system, which npm may have left out. */
async function bundler() {
  try {
    const esbuild = await import('esbuild');
    await esbuild.transform('');
    return esbuild;
  } catch {
    throw new SetupError('esbuild is not there for this system; `npm ci --include=optional` installs it');
  }
}

/** The licence of each package that was bundled, and ours. */
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
 * None of the project's modules does anything when it is loaded, so of a folder entered through its index only what is used is kept.
 * Packages of Node's alone are left out: an import of one that stays is an error.
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
