import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Ended, runRanks } from './mpi.js';

/** Where distributions install daemons, which is not on everybody's path. */
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`;

/** Why what needs Slurm is left out; undefined where it is installed. */
export const notSlurm: string | undefined = missing();

function missing(): string | undefined {
  const lacking = ['slurmctld', 'slurmd', 'munged', 'setpriv'].filter(
    (name) => spawnSync('sh', ['-c', `command -v ${name}`], { env: { PATH } }).status !== 0,
  );
  if (lacking.length === 0) return undefined;
  return `it needs Slurm, and there is no ${lacking.join(', ')}: apt-get install --no-install-recommends slurm-wlm munge`;
}

/** Why what needs Slurm with PMIx is left out; undefined where it is there. */
export const notPmix: string | undefined =
  notSlurm ?? (hasPmix() ? undefined : 'it needs PMIx, which the Slurm here was built without');

/** A Slurm of this machine alone. */
export interface Slurm {
  /** Runs a command of Slurm, or one that calls them, to its end. */
  run(command: string, args: readonly string[], environment?: object): Promise<Ended>;
  /** Submits a job, and gives its number. */
  submit(args: readonly string[], environment?: object): Promise<string>;
  /** Waits until a job, with all tasks of an array, has ended; gives the state and exit code of each task, in order. */
  ended(job: string): Promise<string[]>;
  /** What the daemons wrote, for the message of a failed test. */
  logs(): Promise<string>;
  /** Ends all jobs and daemons. */
  stop(): Promise<void>;
}

/** Each node claims more cores and memory than there may be, so that scripts run with the resources that they ask for. */
const NODE = 'CPUs=8 RealMemory=65536';

const POLL_MS = 100;

/**
 * Starts a Slurm with nodes called `node1`, `node2` and so on, all of them processes of the current user on this machine, at free
 * ports of the loopback interface. The daemons end with this process, however it ends.
 */
export async function startSlurm(nodes: number): Promise<Slurm> {
  // Not within the folder of a test, as Munge refuses a socket that not everybody can reach; nor deep, as sockets have short paths.
  const dir = await mkdtemp(join(tmpdir(), 'sonoground-daemons-'));
  const names = Array.from({ length: nodes }, (_, i) => `node${i + 1}`);
  await configure(dir, names);
  const env = { ...process.env, PATH, SLURM_CONF: join(dir, 'slurm.conf') };
  const daemons: ChildProcess[] = [];
  const start = (command: string, args: readonly string[], log: string) => {
    const output = openSync(join(dir, `${log}.log`), 'a');
    // A signal from the kernel when this process is gone, even if it is killed.
    daemons.push(spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], { env, stdio: ['ignore', output, output] }));
    closeSync(output);
  };
  const run: Slurm['run'] = (command, args, environment) => runRanks(command, args, { ...env, ...environment });
  const logs = async () => {
    const files = (await readdir(dir)).filter((name) => name.endsWith('.log'));
    const texts = await Promise.all(files.map(async (name) => `== ${name}\n${await readFile(join(dir, name), 'utf8')}`));
    return texts.join('\n').replace(/ {20,}/g, '');
  };
  const stop = async () => {
    spawnSync('scancel', ['--user', userInfo().username], { env });
    for (let tries = 0; tries < 50 && spawnSync('squeue', ['--noheader'], { env }).stdout.length > 0; tries++)
      await sleep(POLL_MS);
    for (const daemon of daemons) daemon.kill('SIGKILL');
    await killStragglers(env.SLURM_CONF);
    await rm(dir, { recursive: true, force: true });
  };
  const until = async (condition: () => Promise<boolean>, what: string) => {
    while (!(await condition())) {
      if (daemons.some(({ exitCode }) => exitCode !== null)) throw new Error(`${what} did not start:\n${await logs()}`);
      await sleep(POLL_MS);
    }
  };
  try {
    const file = (name: string) => join(dir, `munge.${name}`);
    const at = ['key', 'socket', 'pid', 'log', 'seed'].map(
      (name) => `--${name}${name === 'socket' ? '' : '-file'}=${file(name)}`,
    );
    start('munged', ['--foreground', '--num-threads=4', ...at], 'munged');
    await until(() => readdir(dir).then((found) => found.includes('munge.socket')), 'munged');
    start('slurmctld', ['-D'], 'slurmctld');
    for (const name of names) start('slurmd', ['-D', '-N', name], name);
    const idle = async () => {
      const { out } = await run('sinfo', ['--noheader', '--Node', '--format=%T']);
      return out.trim() === names.map(() => 'idle').join('\n');
    };
    await until(idle, 'the nodes');
  } catch (error) {
    await stop();
    throw error;
  }
  const submit: Slurm['submit'] = async (args, environment) => {
    const { code, out, err } = await run('sbatch', ['--parsable', ...args], environment);
    if (code !== 0) throw new Error(`sbatch ${args.join(' ')}: ${err}`);
    return out.trim().replace(/;.*/, '');
  };
  const ended: Slurm['ended'] = async (job) => {
    for (;;) {
      const { out } = await run('scontrol', ['show', 'job', '--oneliner', job]);
      const tasks = out.trim().split('\n').map(taskOf);
      if (tasks.length > 0 && tasks.every(({ state }) => !/PENDING|RUNNING|COMPLETING|REQUEUED/.test(state)))
        return tasks.sort((a, b) => a.index - b.index).map(({ state, exit }) => `${state} ${exit}`);
      // Slurm lets a requeued task wait two minutes, until its node has settled.
      for (const { id, reason } of tasks)
        if (reason === 'BeginTime') await run('scontrol', ['update', `jobid=${id}`, 'starttime=now']);
      await sleep(POLL_MS);
    }
  };
  return { run, submit, ended, logs, stop };
}

interface Task {
  readonly id: string;
  readonly index: number;
  readonly state: string;
  readonly reason: string;
  readonly exit: string;
}

function taskOf(line: string): Task {
  const field = (name: string) => new RegExp(`\\b${name}=(\\S+)`).exec(line)?.[1] ?? '';
  return {
    id: field('JobId'),
    index: Number(field('ArrayTaskId')),
    state: field('JobState'),
    reason: field('Reason'),
    exit: field('ExitCode'),
  };
}

async function configure(dir: string, names: readonly string[]): Promise<void> {
  await chmod(dir, 0o711);
  await writeFile(join(dir, 'munge.key'), randomBytes(64), { mode: 0o400 });
  for (const name of names) await mkdir(join(dir, 'tmp', name), { recursive: true });
  for (const name of ['state', 'spool']) await mkdir(join(dir, name));
  const [own = 0, ...ports] = await freePorts(1 + names.length);
  const host = hostname().split('.')[0];
  const user = userInfo().username;
  const lines = [
    'ClusterName=sonoground',
    `SlurmctldHost=${host}(127.0.0.1)`,
    `SlurmctldPort=${own}`,
    `AuthInfo=socket=${join(dir, 'munge.socket')}`,
    `SlurmUser=${user}`,
    `SlurmdUser=${user}`,
    `StateSaveLocation=${join(dir, 'state')}`,
    `SlurmdSpoolDir=${join(dir, 'spool', '%n')}`,
    // Two nodes that share a machine must not share the folders of PMIx.
    `TmpFS=${join(dir, 'tmp', '%n')}`,
    `SlurmctldPidFile=${join(dir, 'slurmctld.pid')}`,
    `SlurmdPidFile=${join(dir, '%n.pid')}`,
    'ProctrackType=proctrack/linuxproc',
    'TaskPlugin=task/none',
    'SelectType=select/cons_tres',
    'SelectTypeParameters=CR_CPU_Memory',
    'SlurmdParameters=config_overrides',
    'SchedulerParameters=sched_min_interval=10000,batch_sched_delay=0,sched_interval=1,bf_interval=1',
    'ReturnToService=2',
    'KillWait=5',
    // Jobs are looked up after they have ended.
    'MinJobAge=86400',
    ...names.map((name, i) => `NodeName=${name} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${ports[i]} ${NODE}`),
    'PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP',
  ];
  await writeFile(join(dir, 'slurm.conf'), `${lines.join('\n')}\n`);
  await writeFile(join(dir, 'cgroup.conf'), 'IgnoreSystemdOnFailure=yes\n');
}

/** Open together, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
  const ports = servers.map((server) => Number(Object(server.address()).port));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Steps and their tasks outlive a daemon that is killed. They are known by their environment, which names the configuration. */
async function killStragglers(configuration: string): Promise<void> {
  const own = `SLURM_CONF=${configuration}`;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(join('/proc', pid, 'environ'), 'utf8').catch(() => '');
    if (environment.split('\0').includes(own) && Number(pid) !== process.pid)
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
  }
}

/** Whether `srun` connects ranks by PMIx. It reads a configuration first. */
function hasPmix(): boolean {
  const dir = mkdtempSync(join(tmpdir(), 'sonoground-srun-'));
  try {
    const file = join(dir, 'slurm.conf');
    writeFileSync(file, 'ClusterName=sonoground\nSlurmctldHost=localhost\n');
    const { stdout, stderr } = spawnSync('srun', ['--mpi=list'], { env: { PATH, SLURM_CONF: file }, encoding: 'utf8' });
    return /\bpmix\b/.test(stdout + stderr);
  } finally {
    rmSync(dir, { recursive: true });
  }
}
