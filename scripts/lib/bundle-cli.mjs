/**
 * Bundles the modules of the command line into a few files: Node takes a millisecond for each of several hundred small ones. The
 * unbundled modules stay for programs that import the package, and for worker threads.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { bundler } from './static-page.mjs';

/** Relative to dist/. */
export const BUNDLE = join('command-line', 'index.js');

const TENSORFLOW = "export * as tf from '@tensorflow/tfjs';";
/** The same module without Node's search for the names that it exports, which takes longer than loading it. */
const REQUIRED =
  "import { createRequire } from 'node:module'; export const tf = createRequire(import.meta.url)('@tensorflow/tfjs');";

/**
 * @param dist - the folder of compiled modules.
 * @throws SetupError if the bundler is not available; Error if bundling fails.
 */
export async function bundleCli(dist) {
  const { build } = await bundler();
  await build({
    entryPoints: [join(dist, 'cli', 'index.js')],
    outdir: dirname(join(dist, BUNDLE)),
    // What only some commands use stays out of the others.
    splitting: true,
    bundle: true,
    absWorkingDir: dist,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'silent',
    plugins: [{ name: 'places', setup: (own) => keepPlaces(own, dist) }],
  });
}

/** Modules find their files relative to themselves: their address stays that of the unbundled module. */
function keepPlaces(own, dist) {
  const from = dirname(join(dist, BUNDLE));
  // No module of this project has side effects but the first: of a folder entered through its index only what is used is loaded.
  own.onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir }) => ({ path: join(resolveDir, path), sideEffects: false }));
  // As package.json resolves these imports, but within the folder that is being built.
  own.onResolve({ filter: /^#platform\// }, ({ path }) => ({
    path: join(dist, `${path.slice('#platform/'.length)}.js`),
    sideEffects: false,
  }));
  own.onResolve({ filter: /^[^./#]/ }, ({ path, kind }) =>
    kind === 'entry-point' ? undefined : { path, external: true, sideEffects: false },
  );
  own.onLoad({ filter: /\.js$/ }, async ({ path }) => {
    const text = await readFile(path, 'utf8');
    if (path === join(dist, 'backend', 'tf.js')) {
      if (!text.includes(TENSORFLOW)) throw new Error(`${path} does not export TensorFlow.js as expected`);
      return { contents: text.replace(TENSORFLOW, REQUIRED) };
    }
    const place = JSON.stringify(relative(from, path).split(sep).join('/'));
    return { contents: text.replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`) };
  });
}
