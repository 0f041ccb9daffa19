#!/usr/bin/env node
/**
 * Runs a command: `node scripts/run.mjs train --config …`. Installs and compiles first what is missing.
 * `setup` is the set-up itself; for the installed package: `npx sonoground setup`.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap, setUpCommand } from './bootstrap.mjs';
import { build } from './lib/build.mjs';
import { root } from './lib/places.mjs';
import { quietTensorflow } from './lib/quiet.mjs';
import { main } from './lib/say.mjs';

await main(async () => {
  if (process.argv[2] === 'setup') return setUpCommand(process.argv.slice(3));
  await bootstrap();
  await build();
  quietTensorflow();
  await import(pathToFileURL(join(root, 'dist', 'cli', 'index.js')).href);
});
