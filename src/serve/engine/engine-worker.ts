import { parentPort, workerData } from 'node:worker_threads';
import { initBackend } from '../../backend/index.js';
import { GroundedSegmenter } from '../../infer/index.js';
import type { Logger } from '../../util/index.js';
import type { Job } from './jobs.js';
import { LocalEngine } from './local-engine.js';
import type { EngineOptions } from './thread-engine.js';
import { type FromThread, packError } from './wire.js';

/** Entry of the thread that computes: loads the models, then answers one job after the other. */
const { models, backend, limits } = workerData as EngineOptions;
const say = (message: FromThread) => parentPort?.postMessage(message);
const logger: Logger = {
  info: (message) => say({ kind: 'log', level: 'info', message }),
  warn: (message) => say({ kind: 'log', level: 'warn', message }),
};

try {
  const running = await initBackend(backend, logger);
  const segmenter = await GroundedSegmenter.load(models);
  const { detector = 'nano', masker = 'nano', adapter } = models;
  const engine = new LocalEngine(segmenter, limits, { backend: running, detector, masker, adapter: adapter ?? null });
  parentPort?.on('message', async (job: Job) => {
    try {
      say({ kind: 'answer', answer: await engine.run(job) });
    } catch (error) {
      say({ kind: 'error', error: packError(error) });
    }
  });
  say({ kind: 'ready', facts: engine.facts });
} catch (error) {
  say({ kind: 'error', error: packError(error) });
}
