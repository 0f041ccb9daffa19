/** `npm run check`: types, style and import rules, without the tests. */
import { bootstrap } from './bootstrap.mjs';
import { runChecks } from './lib/checks.mjs';
import { main, SetupError } from './lib/say.mjs';

await main(async () => {
  await bootstrap();
  if (!runChecks()) throw new SetupError('the checks found something; `npm run fix` formats, and mends what it can');
});
