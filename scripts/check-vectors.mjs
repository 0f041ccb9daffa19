/**
 * `npm run check:vectors`: runs all tests with each kind of vector kernels that this processor supports, and prints a table.
 * Arguments are passed to jest: `npm run check:vectors -- test/models`.
 */
import { bootstrap } from './bootstrap.mjs';
import { build } from './lib/build.mjs';
import { runJest } from './lib/jest.mjs';
import { quietTensorflow } from './lib/quiet.mjs';
import { main, SetupError, say } from './lib/say.mjs';
import { vectorKinds } from './lib/vector-kinds.mjs';

await main(async () => {
  await bootstrap();
  await build();
  quietTensorflow();
  const { here, missing } = vectorKinds();
  if (here.length === 0) throw new SetupError('there are no native operations here; `npm run doctor` says why');
  const rows = [];
  for (const kind of here) {
    say(`tests with SONOGROUND_VECTORS=${kind}`);
    const { passed, failed, skipped, ok } = await runJest(process.argv.slice(2), { SONOGROUND_VECTORS: kind });
    rows.push([kind, passed, failed, skipped, ok ? 'ok' : 'failed']);
  }
  for (const kind of missing) rows.push([kind, '', '', '', 'not on this machine']);
  for (const row of [['vectors', 'passed', 'failed', 'skipped', ''], ...rows])
    process.stdout.write(
      `${row.map((cell, i) => (i === 0 ? cell.padEnd(8) : String(cell).padStart(i < 4 ? 8 : 0))).join('  ')}\n`,
    );
  if (rows.some((row) => row.at(-1) === 'failed')) process.exitCode = 1;
});
