import { spawn } from 'node:child_process';
import { accessSync, constants, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';

/** Why what needs MPI is left out; undefined where there is one, with the addon. */
export const notMpi: string | undefined = missing();

function missing(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  if (!folders.some((folder) => isProgram(join(folder, 'mpirun')))) return 'it needs an MPI, and there is no mpirun';
  const built = readdirSync(
    join(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-node-gpu/package.json')), 'lib', 'napi-v8'),
  );
  return built.some((name) => /^sonoground-mpi-.*\.node$/.test(name))
    ? undefined
    : 'it needs the addon for MPI, which is not built';
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** As root, in a container and with more ranks than cores: what Open MPI refuses by default. Other MPIs ignore these variables. */
const LENIENT = {
  OMPI_ALLOW_RUN_AS_ROOT: '1',
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
  OMPI_MCA_rmaps_base_oversubscribe: '1',
  OMPI_MCA_hwloc_base_binding_policy: 'none',
  TF_CPP_MIN_LOG_LEVEL: '3',
};

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command, such as `mpirun -n 2 node …`, to its end. */
export async function runRanks(command: string, args: readonly string[], environment: object = {}): Promise<Ended> {
  const child = spawn(command, [...args], {
    env: { ...process.env, ...LENIENT, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out, err };
}
