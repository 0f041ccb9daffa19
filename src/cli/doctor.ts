import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import type { CommandModule } from 'yargs';
import { describeBackend, initBackend } from '../backend/index.js';
import { consoleLogger } from './console-logger.js';
import type { GlobalOptions } from './options.js';

interface DoctorOptions extends GlobalOptions {
  json: boolean;
}

/** Where the set-up says why there is no native TensorFlow. */
const FALLBACK_NOTE = 'node_modules/.sonoground-fallback.json';

export const doctorCommand: CommandModule<GlobalOptions, DoctorOptions> = {
  command: 'doctor',
  describe: 'say what it runs on',
  builder: (args) =>
    args
      .option('json', { type: 'boolean', default: false, describe: 'print one JSON object' })
      .example('$0 doctor', 'backend, devices, memory and speed')
      .example('$0 doctor --backend wasm', 'the same of another backend') as never,
  handler: async ({ backend, json }) => {
    await initBackend(backend, consoleLogger);
    const report = await describeBackend();
    const facts = {
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      threads: availableParallelism(),
      memoryGb: round(totalmem() / 2 ** 30),
      freeMemoryGb: round(freemem() / 2 ** 30),
      backend: report.backend,
      tensorflow: report.tensorflow ?? null,
      tfjs: report.tfjs,
      device: report.gpu ? 'GPU' : 'CPU',
      nativeOps: [],
      gflops: Math.round(report.gflops),
      fallback: existsSync(FALLBACK_NOTE) ? (JSON.parse(readFileSync(FALLBACK_NOTE, 'utf8')) as { reason: string }).reason : null,
    };
    const lines = [
      `Node ${facts.node} on ${facts.platform}`,
      `${facts.cpu}, ${facts.threads} threads, ${facts.memoryGb} GB of memory, ${facts.freeMemoryGb} GB free`,
      `backend ${facts.backend}${facts.tensorflow === null ? '' : `, TensorFlow ${facts.tensorflow}`}, TensorFlow.js ${facts.tfjs}, on the ${facts.device}`,
      'native ops of our own: none yet',
      `matrix products: ${facts.gflops} GFLOP/s`,
      ...(facts.fallback === null ? [] : [facts.fallback]),
    ];
    process.stdout.write(json ? `${JSON.stringify(facts, null, 2)}\n` : `${lines.join('\n')}\n`);
  },
};

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
