/**
 * `npm run docs`: generates the API reference in docs/api/ from the comments in the sources. Public declarations without a
 * comment, types that are used but not public, and broken links are errors. Arguments are passed to TypeDoc.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { modulesDir, root } from './lib/places.mjs';
import { main } from './lib/say.mjs';

await main(async () => {
  await bootstrap();
  const typedoc = join(modulesDir, 'typedoc', 'bin', 'typedoc');
  const { status } = spawnSync(process.execPath, [typedoc, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
  process.exitCode = status ?? 1;
});
