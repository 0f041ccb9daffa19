/**
 * Time from a command to its end: loading the command line, and the first mask of the shipped models, each run in a process of its
 * own.
 *
 *   node bench/start-up.mjs [--runs 7] [--against DIR]     DIR: another checkout, set up and built, to compare with
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../scripts/lib/places.mjs';
import { runCommand, tell, treesOf } from './lib/commands.mjs';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '7' }, against: { type: 'string' } } });

const dir = mkdtempSync(join(tmpdir(), 'sonoground-start-up-'));
const image = join(root, 'examples', 'nerve-and-vessel-1.jpg');
const works = {
  'the command line (--version)': ['--version'],
  'one command (infer --help)': ['infer', '--help'],
  'the first mask (infer)': ['infer', '--image', image, '--prompt', 'blood vessel', '--out', join(dir, 'out'), '--overwrite'],
};
try {
  const trees = treesOf(values.against);
  for (const [work, argv] of Object.entries(works)) {
    const costs = trees.map(() => []);
    // The first run of each sets up, compiles, and reads the disk.
    for (let run = 0; run <= Number(values.runs); run++)
      for (const [k, tree] of trees.entries()) {
        const cost = await runCommand(tree, argv);
        if (run > 0) costs[k].push(cost);
      }
    tell(work, costs, ({ seconds }) => seconds, 's');
    tell(work, costs, ({ cpu }) => cpu, 's of processor time');
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
