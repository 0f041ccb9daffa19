import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, isAgreed, type Mpi, type Ranks } from '../train/index.js';
import { consoleLogger } from './console-logger.js';
import { type Launch, launchOf } from './launch.js';
import { report } from './main.js';
import { printLine, silence } from './terminal.js';

/** Exit code of a rank that ends the others. */
const FAILED = 1;

/** How long another rank waits for rank 0 to report the same problem, and the launcher to end all. */
const PATIENCE_MS = 5000;

/**
 * Calls `body` with the ranks that an MPI launcher started, or with undefined in the only process. All ranks end together. After a
 * failure only rank 0 throws: a launcher ends all at the first exit code that is not 0, and rank 0 still has to print its message.
 */
export async function withRanks(body: (ranks: Ranks | undefined) => Promise<void>): Promise<void> {
  const launch = launchOf(process.env);
  if (launch === undefined) return body(undefined);
  const mpi = await connected(launch);
  if (mpi === undefined) return;
  const { ranks } = mpi;
  if (!ranks.isRoot && !debugging()) silence();
  chooseGpu(ranks);
  consoleLogger.info(`${ranks.size} ranks on ${mpi.library}`);
  try {
    await body(ranks);
    await ranks.gather('done');
  } catch (error) {
    const shared = await together(mpi, error);
    if (ranks.isRoot || debugging()) throw shared;
    return;
  } finally {
    mpi.close();
  }
  const { gathering, summing } = ranks.spent;
  const [waited, summed] = [gathering, summing].map((ms) => `${(ms / 1000).toFixed(1)} s`);
  consoleLogger.info(`rank 0 spent ${summed} adding gradients over the ranks, and ${waited} waiting for them`);
}

/** Connects the processes; undefined if it fails and rank 0 reports it. */
async function connected(launch: Launch): Promise<Mpi | undefined> {
  try {
    return connect(launch);
  } catch (error) {
    if (launch.rank === 0) throw error;
    // Without MPI all processes are alike. Otherwise this machine alone may lack the addon.
    if (!launch.connects) return undefined;
    await sleep(PATIENCE_MS);
    throw error;
  }
}

function debugging(): boolean {
  return process.env['SONOGROUND_DEBUG'] === '1';
}

/** The error that all ranks end with; where the others cannot be told, ends them. */
async function together({ ranks, abort }: Mpi, error: unknown): Promise<unknown> {
  const shared = isAgreed(error) ? error : await ranks.fail(error);
  if (shared !== undefined) return shared;
  silence(false);
  printLine(`rank ${ranks.rank} of ${ranks.size} ends the run:`);
  report(error);
  abort(FAILED);
  return error;
}

/**
 * Gives each rank of a machine a GPU of its own, in the order of local ranks, before TensorFlow is loaded. Ranks share GPUs where
 * there are fewer, with a warning. A launcher may have given each rank its own already.
 */
function chooseGpu({ localRank, localSize }: Ranks): void {
  const given = process.env['CUDA_VISIBLE_DEVICES'];
  const gpus = given === undefined ? gpusHere() : given.split(',').filter((name) => name !== '');
  const own = gpus[localRank % gpus.length];
  if (own === undefined || (given !== undefined && gpus.length === 1)) return;
  process.env['CUDA_VISIBLE_DEVICES'] = own;
  if (gpus.length >= localSize) return;
  // Otherwise the first process takes all of a GPU's memory.
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
  consoleLogger.warn(`${localSize} ranks share ${gpus.length} GPUs of this machine: start one rank for each GPU`);
}

function gpusHere(): string[] {
  try {
    return readdirSync('/proc/driver/nvidia/gpus').map((_, i) => String(i));
  } catch {
    return [];
  }
}
