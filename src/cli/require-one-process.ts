import { UsageError } from '../util/index.js';
import { launchOf } from './launch.js';

/** Commands that may run as several processes: training shares its batches; the others only read. */
const SHARED = ['train', 'doctor'];

/**
 * Refuses commands that an MPI launcher started several times, as each process would do all of the work and write the same files.
 * Processes of `infer --shard` have different work.
 *
 * @throws UsageError, printed by rank 0.
 */
export function requireOneProcess(args: { readonly _: readonly unknown[]; readonly [option: string]: unknown }): void {
  const launch = launchOf(process.env);
  const [command] = args._;
  if (launch?.connects !== true || SHARED.includes(String(command)) || args['shard'] !== undefined) return;
  // A launcher ends all at the first failure, which might be before rank 0 has printed its message.
  if (launch.rank !== 0) process.exit(0);
  throw new UsageError({
    code: 'E_RANKS_COMMAND',
    where: String(command),
    what: `${launch.launcher} started it ${launch.size} times, and each would do all of the work; only train shares it`,
    fix: command === 'infer' ? 'Start it once, or as an array job with --shard' : 'Start it once',
  });
}
