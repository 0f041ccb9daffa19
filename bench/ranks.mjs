/**
 * Two ranks of one thread beside one rank of two threads: training steps of Grounding DINO with adapters on the same number of
 * images, in turns.
 *
 *   node bench/ranks.mjs [--model nano|tiny] [--side 128] [--batch 2] [--steps 5] [--turns 3] [--preset paper]
 *
 * Prints the processor time of a step, which other programs on the machine do not prolong, as a ratio, and the share of the time
 * in which ranks add their gradients. Waiting for the slower rank counts as adding.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { dist, prepare } from './lib/dist.mjs';
import { randomDetector } from './lib/random-models.mjs';
import { median } from './lib/statistics.mjs';
import { trainStep } from './lib/train-step.mjs';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'nano' },
    side: { type: 'string', default: '128' },
    batch: { type: 'string', default: '2' },
    steps: { type: 'string', default: '5' },
    turns: { type: 'string', default: '3' },
    preset: { type: 'string', default: 'paper' },
    child: { type: 'boolean', default: false },
  },
});
const [side, batch, steps, turns] = ['side', 'batch', 'steps', 'turns'].map((name) => Number(values[name]));
/** Memory is filled and buffers are made. */
const WARM_UP = 1;

if (values.child) await takeSteps();
else await compare();

async function compare() {
  await prepare();
  const ways = { 'one rank of two threads': [], 'two ranks of one thread': [] };
  const [one, two] = Object.keys(ways);
  for (let turn = 0; turn < turns; turn++) {
    ways[one].push(run(1, 2));
    ways[two].push(run(2, 1));
  }
  const of = (way, figure) => median(ways[way].map((result) => result[figure]));
  for (const way of Object.keys(ways)) {
    const share = way === one ? '' : `, ${(100 * of(way, 'adding')).toFixed(1)} % of it adding gradients`;
    console.log(
      `${way}: ${of(way, 'cpu').toFixed(2)} s of processor time a step in all, ${of(way, 'wall').toFixed(2)} s by the clock${share}`,
    );
  }
  const ratio = (figure) => (of(two, figure) / of(one, figure)).toFixed(2);
  console.log(
    `${values.model}, side ${side}, ${batch} images, median of ${turns} turns: two ranks take ${ratio('cpu')} times the processor time of one, ` +
      `${ratio('wall')} times by the clock; ${of(two, 'trained')} trained weights`,
  );
}

/** Processes of a number of ranks and threads; their figures of a step. */
function run(ranks, threads) {
  const own = [fileURLToPath(import.meta.url), '--child', ...process.argv.slice(2)];
  const env = {
    ...process.env,
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: '1',
    OMPI_ALLOW_RUN_AS_ROOT: '1',
    OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
    OMPI_MCA_rmaps_base_oversubscribe: '1',
    OMPI_MCA_hwloc_base_binding_policy: 'none',
  };
  const [command, ...args] = ranks === 1 ? [process.execPath] : ['mpirun', '-n', String(ranks), process.execPath];
  const text = execFileSync(command, [...args, ...own], { env, encoding: 'utf8', stdio: 'pipe' });
  return JSON.parse(text.trim().split('\n').at(-1));
}

async function takeSteps() {
  const { launchOf } = await dist('cli/launch.js');
  const { connect, sumGradients } = await dist('train/ranks/index.js');
  const launch = launchOf(process.env);
  const mpi = launch && connect(launch);
  const { initBackend } = await dist('backend/index.js');
  await initBackend('tensorflow', undefined, 'training');
  const { model, inputs } = await randomDetector(side, batch / (mpi?.ranks.size ?? 1), values.model);
  const share = mpi && ((parameters, gradients) => sumGradients(mpi.ranks, parameters, gradients));
  const { run, trained } = await trainStep(model, inputs, values.preset, share);
  for (let i = 0; i < WARM_UP; i++) await run();
  await mpi?.ranks.gather('warm');
  const [from, used, added] = [performance.now(), process.cpuUsage(), mpi?.ranks.spent.summing ?? 0];
  for (let i = 0; i < steps; i++) await run();
  const { user, system } = process.cpuUsage(used);
  const wall = performance.now() - from;
  const own = {
    wall: wall / 1000 / steps,
    cpu: (user + system) / 1e6 / steps,
    adding: ((mpi?.ranks.spent.summing ?? 0) - added) / wall,
  };
  const all = mpi ? await mpi.ranks.gather(own) : [own];
  const sum = (figure) => all.reduce((total, each) => total + each[figure], 0);
  if (mpi?.ranks.isRoot !== false)
    console.log(JSON.stringify({ trained, cpu: sum('cpu'), wall: sum('wall') / all.length, adding: sum('adding') / all.length }));
  mpi?.close();
}
