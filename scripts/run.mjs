#!/usr/bin/env node
/**
 * Runs a command, `npx sonoground train --config …`, after installing and compiling what is missing; help needs neither
 * TensorFlow nor the native operations. `setup` is the set-up itself.
 */
import { pathToFileURL } from 'node:url';
import { bootstrap, setUpCommand } from './bootstrap.mjs';
import { build, commandLine, keepCompiled } from './lib/build.mjs';
import { quietTensorflow } from './lib/quiet.mjs';
import { main } from './lib/say.mjs';

await main(async () => {
  if (process.argv[2] === 'setup') return setUpCommand(process.argv.slice(3));
  const words = process.argv.slice(2);
  await bootstrap({ native: words.length > 0 && !words.includes('--help') && !words.includes('--version') });
  await build();
  quietTensorflow();
  keepCompiled();
  await import(pathToFileURL(commandLine()).href);
});
