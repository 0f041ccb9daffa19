/**
 * Measures every work that has a target, in turns with eager PyTorch and with other runtimes, as far as they are installed.
 *
 *   npm run bench -- --help
 *
 * Each side is a process of its own with the same random weights and as many threads. Before it is timed, its outputs are compared
 * with the reference's; its first pass does not count. Prints medians of seconds and of processor seconds with their quartiles,
 * the medians of the ratios of neighbouring passes, the peak memory, the floor (the products of our pass at the rate of the fastest
 * large products here), and our time by stage. Each measurement becomes a line of bench/ledger.jsonl, from which the tables of
 * bench/LEDGER.md are made. The whole pipeline is the sum of detector, encoder and one decoder call. On a GPU it also prints the
 * first pass, in which programs are compiled, and the GPU's memory. On a machine that is not quiet, processor time with
 * TF_NUM_INTRAOP_THREADS=1 is the better figure.
 */
import { availableParallelism } from 'node:os';
import { prepare } from './lib/dist.mjs';
import { append, rewriteTables } from './lib/ledger.mjs';
import { measure, measureMemory } from './lib/measure.mjs';
import { readOptions, USAGE } from './lib/options.mjs';
import { installedPeers } from './lib/peers.mjs';
import { memoryReport, pipelineReport, reportOf } from './lib/report.mjs';
import { referencePython } from './lib/sides.mjs';
import { SCALING, workOf } from './lib/works.mjs';

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else await run(options);
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}

async function run(options) {
  const threads = Number(process.env.TF_NUM_INTRAOP_THREADS ?? availableParallelism());
  const python = referencePython();
  if (options.peers.length > 0 && python === undefined)
    console.log('without peers: they run the model of the PyTorch reference, which is not installed');
  const peers = python === undefined ? [] : installedPeers(options.peers, python);
  await prepare();
  if (options.memory !== undefined) {
    for (const work of options.only)
      console.log(
        memoryReport(workOf(work).title, options.memory, await measureMemory(work, { ...options.sizes, threads }, options)),
      );
    return;
  }
  const results = {};
  for (const work of options.only) {
    const steps = options.scaling ? (SCALING[work] ?? []) : [{}];
    for (const step of steps) {
      const sizes = { ...options.sizes, threads, ...step };
      const record = await measure(work, sizes, { ...options, peers, python });
      results[work] = record;
      if (options.ledger) {
        append(record);
        rewriteTables();
      }
      if (peers.length > 0 && workOf(work).whole !== undefined)
        console.log(`${work}: not against peers, which run whole passes: see the detector`);
      for (const line of reportOf(sizes.model === undefined ? workOf(work).title : work, record)) console.log(line);
    }
  }
  if (!options.scaling) for (const line of pipelineReport(results, options.sizes.boxes)) console.log(line);
}
