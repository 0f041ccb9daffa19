import { readdirSync } from 'node:fs';
import { connect, isAgreed, type Mpi, type Ranks } from '../train/index.js';
import { consoleLogger } from './console-logger.js';
import { launchOf } from './launch.js';
import { report } from './main.js';
import { printLine, silence } from './terminal.js';

/** Exit code of a rank that ends because of a failure. */
const FAILED = 1;

/**
 * Calls `body` with the ranks that an MPI launcher started, or with undefined in the only process. All ranks end together: after a
 * failure rank 0 prints its message, once.
 */
export async function withRanks(body: (ranks: Ranks | undefined) => Promise<void>): Promise<void> {
  const launch = launchOf(process.env);
  if (launch === undefined) return body(undefined);
  const mpi = connect(launch);
  const { ranks } = mpi;
  if (!ranks.isRoot && process.env['SONOGROUND_DEBUG'] !== '1') silence();
  chooseGpu(ranks);
  consoleLogger.info(`${ranks.size} ranks on ${mpi.library}`);
  try {
    await body(ranks);
    await ranks.gather('done');
  } catch (error) {
    throw await together(mpi, error);
  } finally {
    mpi.close();
  }
  const { gathering, summing } = ranks.spent;
  const [waited, summed] = [gathering, summing].map((ms) => `${(ms / 1000).toFixed(1)} s`);
  consoleLogger.info(`rank 0 spent ${summed} adding gradients over the ranks, and ${waited} waiting for them`);
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
