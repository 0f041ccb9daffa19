/**
 * `npm run docs`: the table of error codes, from the sources, into docs/errors.md; and the API reference, from the comments in the
 * sources, into docs/api/. What is public without a comment, a type that is used and not public, and a link that leads nowhere are
 * errors. Arguments go to TypeDoc.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { writeErrorsPage } from './error-docs.mjs';
import { modulesDir, root } from './lib/places.mjs';
import { main } from './lib/say.mjs';

await main(async () => {
  await bootstrap();
  await writeErrorsPage();
  const typedoc = join(modulesDir, 'typedoc', 'bin', 'typedoc');
  const { status } = spawnSync(process.execPath, [typedoc, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
  process.exitCode = status ?? 1;
});
