import { execFileSync, spawn } from 'node:child_process';
import { accessSync, constants, readdirSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const { resolve } = createRequire(import.meta.url);
const SOURCE = fileURLToPath(new URL('../../native/mpi/addon.c', import.meta.url));

/** Why what needs MPI is left out; undefined where there is one, with the addon. */
export const notMpi: string | undefined = missing();

function missing(): string | undefined {
  if (programOf('mpirun') === undefined) return 'it needs an MPI, and there is no mpirun';
  const built = readdirSync(join(dirname(resolve('@tensorflow/tfjs-node-gpu/package.json')), 'lib', 'napi-v8'));
  return built.some((name) => /^sonoground-mpi-.*\.node$/.test(name))
    ? undefined
    : 'it needs the addon for MPI, which is not built';
}

/** An MPI: its compiler and its launcher. */
export interface Mpi {
  readonly compiler: string;
  readonly launcher: string;
}

/** The MPIs of this machine: that of the path, first, and others under the names that Debian gives to several. */
export const mpis: readonly Mpi[] = installed();

function installed(): Mpi[] {
  const found = ['', '.openmpi', '.mpich'].flatMap((suffix) => {
    const [compiler, launcher] = [programOf(`mpicc${suffix}`), programOf(`mpirun${suffix}`)];
    return compiler === undefined || launcher === undefined ? [] : [{ compiler, launcher }];
  });
  const programs = found.map(({ compiler }) => realpathSync(compiler));
  return found.filter((_, i) => programs.indexOf(programs[i] as string) === i);
}

/** Compiles the addon with an MPI's compiler; the children of these tests take it from the variable SONOGROUND_TEST_ADDON. */
export function compileAddon({ compiler }: Mpi, to: string): void {
  const headers = join(dirname(resolve('node-api-headers/package.json')), 'include');
  execFileSync(compiler, ['-std=c11', '-O2', '-fPIC', '-shared', '-Wall', `-I${headers}`, SOURCE, '-o', to]);
}

function programOf(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find(isProgram);
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
