/**
 * `npm run pack`: creates the tarball to install and publish, from a fresh build. Plain `npm pack` takes the existing dist/:
 * .npmrc disables npm's lifecycle scripts. Arguments are passed to `npm pack`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { build } from './lib/build.mjs';
import { npm } from './lib/packages.mjs';
import { root } from './lib/places.mjs';
import { main, SetupError } from './lib/say.mjs';

/** Only present after a build without errors. */
const BUILT = ['.built', 'static-page/index.html', 'command-line/index.js'];

await main(async () => {
  await bootstrap({ native: false });
  await build();
  const missing = BUILT.find((name) => !existsSync(join(root, 'dist', name)));
  if (missing !== undefined) throw new SetupError(`dist/${missing} was not built, so nothing is packed`);
  const [command, before] = npm();
  process.exitCode =
    spawnSync(command, [...before, 'pack', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' }).status ?? 1;
});
