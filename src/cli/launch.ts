/** How a launcher started this process: as one of several. */
export interface Launch {
  readonly size: number;
  readonly rank: number;
  /** The launcher as typed: `mpirun`, or `srun`. */
  readonly launcher: string;
  /** Whether the launcher connects its processes by MPI. */
  readonly connects: boolean;
}

/**
 * Detects from the environment whether a launcher started several processes; undefined for a single one.
 *
 * Open MPI's `mpirun` sets OMPI_COMM_WORLD_SIZE, MPICH's launcher and `srun --mpi=pmi2` PMI_SIZE, `srun --mpi=pmix` PMIX_RANK
 * beside Slurm's own variables. SLURM_STEP_NUM_TASKS is only set by `srun`, not in a batch script.
 */
export function launchOf(environment: Readonly<Record<string, string | undefined>>): Launch | undefined {
  const number = (name: string) => Number(environment[name] ?? Number.NaN);
  const mpirun = [number('OMPI_COMM_WORLD_SIZE'), number('PMI_SIZE')].find(Number.isInteger);
  const tasks = number('SLURM_STEP_NUM_TASKS');
  const bySlurm = Number.isInteger(tasks) && environment['OMPI_COMM_WORLD_SIZE'] === undefined;
  const size = mpirun ?? (bySlurm ? tasks : 1);
  if (size <= 1) return undefined;
  const connects = mpirun !== undefined || environment['PMIX_RANK'] !== undefined;
  const rank = ['OMPI_COMM_WORLD_RANK', 'PMI_RANK', 'PMIX_RANK', 'SLURM_PROCID'].map(number).find(Number.isInteger) ?? 0;
  return { size, rank, launcher: bySlurm ? 'srun' : 'mpirun', connects };
}
