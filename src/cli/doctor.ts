import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, homedir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { CommandModule } from 'yargs';
import { type AdapterReport, describeBackend, initBackend, listAdapters } from '../backend/index.js';
import { consoleLogger } from './console-logger.js';
import type { GlobalOptions } from './options.js';
import { printResult } from './terminal.js';

interface DoctorOptions extends GlobalOptions {
  json: boolean;
}

/** File in which the setup records why it fell back. */
const FALLBACK_NOTE = fileURLToPath(new URL('../../node_modules/.sonoground-fallback.json', import.meta.url));

export const doctorCommand: CommandModule<GlobalOptions, DoctorOptions> = {
  command: 'doctor',
  describe: 'print what sonoground runs on: backend, devices, memory, speed',
  builder: (args) =>
    args
      .option('json', { type: 'boolean', default: false, describe: 'print one JSON object' })
      .example('$0 doctor', 'backend, devices, memory and speed')
      .example('$0 doctor --backend wasm', 'the same for another backend') as never,
  handler: async ({ backend, json }) => {
    await initBackend(backend, consoleLogger);
    const facts = await collect();
    if (json) process.stdout.write(`${JSON.stringify(facts, null, 2)}\n`);
    else for (const line of describe(facts)) printResult(line);
  },
};

type Facts = Awaited<ReturnType<typeof collect>>;

async function collect() {
  const report = await describeBackend();
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: gigabytes(totalmem()),
    freeMemoryGb: gigabytes(freemem()),
    processMemoryGb: gigabytes(process.memoryUsage.rss()),
    backend: report.backend,
    tensorflow: report.tensorflow ?? null,
    tfjs: report.tfjs,
    device: report.device ?? (report.gpu ? 'GPU' : 'CPU'),
    threads: report.threads,
    kernels: report.kernels,
    nativeOps: report.nativeOps,
    nativeOpsReason: report.nativeOpsReason ?? null,
    nativeOpsOn: report.nativeOpsOn ?? null,
    adapters: await adapters(),
    cuda: await cudaDevices(),
    gflops: Number(report.gflops.toPrecision(3)),
    cache: await describeCache(),
    fallback: await fallbackReason(),
  };
}

function describe(facts: Facts): string[] {
  const { cache, fallback } = facts;
  const version = facts.tensorflow === null ? '' : `TensorFlow ${facts.tensorflow}, `;
  return [
    `Node ${facts.node} on ${facts.platform}`,
    `${facts.cpu}, ${facts.cores} cores, ${facts.memoryGb} GB of memory, ${facts.freeMemoryGb} GB free, ${facts.processMemoryGb} GB used by this process`,
    `backend ${facts.backend}: ${version}TensorFlow.js ${facts.tfjs}, ${facts.kernels} kernels`,
    `device: ${facts.device}, ${facts.threads} thread${facts.threads === 1 ? '' : 's'} per operation`,
    ...describeAdapters(facts.adapters),
    ...facts.cuda.map((line) => `CUDA: ${line}`),
    `native operations: ${facts.nativeOps.join(', ') || `none (${facts.nativeOpsReason})`}${facts.nativeOpsOn === null ? '' : `; with ${facts.nativeOpsOn}`}`,
    `matrix products: ${facts.gflops} GFLOP/s, the best of several runs; lower if other programs are running`,
    `cache ${cache.dir}: ${cache.entries.map(({ name, mb }) => `${name} ${mb} MB`).join(', ') || 'empty'}`,
    ...(fallback === null ? [] : [`set-up: ${fallback}. Run \`sonoground setup\` to try again`]),
  ];
}

/** The available WebGPU adapters, or the reason why they are unknown. */
async function adapters(): Promise<readonly AdapterReport[] | string> {
  try {
    return await listAdapters();
  } catch (error) {
    return `Dawn cannot be loaded: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`;
  }
}

function describeAdapters(found: readonly AdapterReport[] | string): string[] {
  if (typeof found === 'string') return [`WebGPU: ${found}`];
  if (found.length === 0) return ['WebGPU: no adapter (no graphics driver with Vulkan, Metal or Direct3D 12)'];
  return found.map(
    ({ vendor, architecture, description, software, maxTensorBytes, sharedBytes, groupThreads }) =>
      `WebGPU: ${[vendor, architecture].filter((part) => part !== '').join(' ')}, ${description}: ${software ? 'software' : 'hardware'}, tensors up to ${Math.round(maxTensorBytes / 2 ** 20)} MB, workgroups of ${groupThreads} threads with ${sharedBytes / 1024} KB`,
  );
}

const CUDA_QUERY = ['--query-gpu=name,memory.total,memory.free,compute_cap,driver_version', '--format=csv,noheader'];

/** Name, memory, compute capability and driver of each NVIDIA GPU, from nvidia-smi; empty if that is not available. */
async function cudaDevices(): Promise<string[]> {
  try {
    const { stdout } = await promisify(execFile)('nvidia-smi', CUDA_QUERY, { timeout: 10_000 });
    return stdout.split('\n').flatMap((line) => {
      const [name, total, free, capability, driver] = line.split(',').map((part) => part.trim());
      return driver === undefined
        ? []
        : [`${name}, ${total} of memory, ${free} free, compute capability ${capability}, driver ${driver}`];
    });
  } catch {
    return [];
  }
}

/** The setup's cache, shared by all clones of this user. */
async function describeCache() {
  const dir = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'sonoground');
  const names = (await readdir(dir, { withFileTypes: true }).catch(() => [])).filter((entry) => entry.isDirectory());
  const entries = await Promise.all(
    names.map(async ({ name }) => ({ name, mb: Math.ceil((await sizeOfFolder(join(dir, name))) / 1e6) })),
  );
  return { dir, entries };
}

async function sizeOfFolder(dir: string): Promise<number> {
  const names = await readdir(dir, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    names
      .filter((entry) => entry.isFile())
      .map((entry) =>
        stat(join(entry.parentPath, entry.name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  );
  return sizes.reduce((a, b) => a + b, 0);
}

async function fallbackReason(): Promise<string | null> {
  const text = await readFile(FALLBACK_NOTE, 'utf8').catch(() => undefined);
  return text === undefined ? null : (JSON.parse(text) as { reason: string }).reason;
}

function gigabytes(bytes: number): number {
  return Math.round(bytes / 1e8) / 10;
}
