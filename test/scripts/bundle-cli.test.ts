import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const SCRIPT = pathToFileURL(resolve('scripts/lib/bundle-cli.mjs')).href;

let dist = '';
beforeEach(() => {
  dist = realpathSync(mkdtempSync(join(tmpdir(), 'sonoground-bundle-')));
});
afterEach(() => rmSync(dist, { recursive: true, force: true }));

function bundled(files: Readonly<Record<string, string>>, ...argv: readonly string[]): string {
  for (const [name, text] of Object.entries({ 'package.json': '{"type":"module"}', ...files })) {
    mkdirSync(dirname(join(dist, name)), { recursive: true });
    writeFileSync(join(dist, name), text);
  }
  const run = (code: string) =>
    execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8', stdio: 'pipe' });
  const entry = run(
    `import { BUNDLE, bundleCli } from ${JSON.stringify(SCRIPT)}; await bundleCli(${JSON.stringify(dist)}); process.stdout.write(BUNDLE)`,
  );
  return execFileSync(process.execPath, [join(dist, entry), ...argv], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

describe('the bundled command line', () => {
  it('finds files beside the modules that name them, as the unbundled modules do', () => {
    const files = {
      'cli/index.js': "import { place } from '../data/import/pool.js'; process.stdout.write(place);",
      'data/import/pool.js': "export const place = new URL('./worker.js', import.meta.url).href;",
    };
    expect(bundled(files)).toBe(pathToFileURL(join(dist, 'data', 'import', 'worker.js')).href);
  });

  it('takes modules that depend on the platform from the folder that is being built', () => {
    const files = {
      'cli/index.js': "import { name } from '#platform/util/files'; process.stdout.write(name);",
      'util/files.js': "export const name = 'built';",
      // Where a build writes at first, package.json's own targets are the modules of the build before, or missing.
      'package.json': '{"type":"module","imports":{"#platform/*":"./before/*.js"}}',
    };
    expect(bundled(files)).toBe('built');
  });

  it('loads only the modules of the typed command', () => {
    const files = {
      'cli/index.js':
        "const { run } = process.argv[2] === 'one' ? await import('./one.js') : await import('./other.js'); process.stdout.write(run());",
      'cli/one.js': "export const run = () => 'one';",
      // A package that is not installed: loading this module fails.
      'cli/other.js': "import missing from 'sonoground-missing-package'; export const run = () => missing;",
    };
    expect(bundled(files, 'one')).toBe('one');
    expect(() => bundled(files, 'other')).toThrow('sonoground-missing-package');
  });

  it('refuses to bundle when TensorFlow.js is exported in another way, as it would be loaded twice as slowly', () => {
    const files = {
      'cli/index.js': "import { tf } from '../backend/tf.js'; process.stdout.write(String(tf));",
      'backend/tf.js': "import * as tf from '@tensorflow/tfjs'; export { tf };",
    };
    expect(() => bundled(files)).toThrow('does not export TensorFlow.js as expected');
  });
});
