#!/usr/bin/env node
/**
 * Runs a command: `node scripts/run.mjs train --config …`. Installs and compiles first what is missing.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap } from './bootstrap.mjs';
import { build } from './lib/build.mjs';
import { root } from './lib/places.mjs';
import { quietTensorflow } from './lib/quiet.mjs';
import { main } from './lib/say.mjs';

await main(async () => {
  await bootstrap();
  await build();
  quietTensorflow();
  await import(pathToFileURL(join(root, 'dist', 'cli', 'index.js')).href);
});
