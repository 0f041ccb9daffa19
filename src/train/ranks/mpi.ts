import { loadNativeObject } from '../../backend/index.js';
import { RuntimeError } from '../../util/index.js';
import { type Collectives, type Place, Ranks } from './ranks.js';

/** How a launcher started the processes. */
interface Launch {
  readonly size: number;
  /** Its name, as typed. */
  readonly launcher: string;
  /** Whether it connects its processes by MPI. */
  readonly connects: boolean;
}

/** The addon that the set-up compiles from `native/mpi`. */
interface Addon extends Collectives {
  init(): Place & { readonly library: string };
  finalize(): void;
  abort(code: number): void;
}

/** The ranks of this run, connected. */
export interface Mpi {
  readonly ranks: Ranks;
  /** The MPI library and its version. */
  readonly library: string;
  /** Leaves MPI; every rank must do so. */
  close(): void;
  /** Ends all ranks at once. */
  abort(code: number): void;
}

/**
 * Connects the processes that a launcher started.
 *
 * @param find - finds the addon. Default: beside TensorFlow's binding, where the set-up places it.
 * @throws RuntimeError when there is no addon for MPI, or it belongs to another MPI than the launcher.
 */
export function connect({ size, launcher, connects }: Launch, find: FindAddon = findAddon): Mpi {
  const where = `${launcher}, ${size} processes`;
  const fail = (what: string, fix: string, cause?: unknown) =>
    new RuntimeError({ code: 'E_MPI_UNAVAILABLE', where, what, fix, cause });
  if (!connects)
    throw fail('srun started them without MPI, so each would train by itself', 'Start with srun --mpi=pmix, or with mpirun');
  const addon = load(find, fail);
  let place: ReturnType<Addon['init']>;
  try {
    place = addon.init();
  } catch (cause) {
    throw fail(messageOf(cause), 'Try a program of your own with this MPI first', cause);
  }
  if (place.size !== size) {
    addon.finalize();
    const what = `the addon was compiled for ${place.library}, which sees ${place.size === 1 ? 'one process' : `${place.size} processes`}`;
    const fix = `Use the launcher of that MPI, or set SONOGROUND_MPICC to the mpicc of the launcher's MPI and run the set-up again`;
    throw fail(what, fix);
  }
  return {
    ranks: new Ranks(place, addon),
    library: place.library.replace(/ Version:\s*/, ' '),
    close: () => addon.finalize(),
    abort: (code) => addon.abort(code),
  };
}

type FindAddon = () => ReturnType<typeof loadNativeObject>;

function findAddon(): ReturnType<typeof loadNativeObject> {
  return loadNativeObject('sonoground-mpi');
}

function load(find: FindAddon, fail: (what: string, fix: string, cause?: unknown) => RuntimeError): Addon {
  const fix =
    'Install an MPI with its compiler mpicc (libopenmpi-dev, libmpich-dev, or a module of the cluster) and run the set-up again';
  let found: ReturnType<FindAddon>;
  try {
    found = find();
  } catch (cause) {
    throw fail(`the addon for MPI cannot be loaded (${messageOf(cause)})`, fix, cause);
  }
  if ('exports' in found) return found.exports as Addon;
  throw fail(`the addon for MPI is not built${found.reason === undefined ? '' : `: ${found.reason}`}`, fix);
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
