import { rmSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { initBackend } from '../../backend/index.js';
import { isExported, loadClipModels, UniverSegPredictor } from '../../infer/index.js';
import { shippedModels } from '../../pretrained/index.js';
import type { Logger } from '../../util/index.js';
import type { EngineOptions } from './engine.js';
import { ExemplarModel } from './exemplar-model.js';
import { LocalEngine } from './local-engine.js';
import { type FromProcess, packEngineError, type ToProcess } from './wire.js';

/** Entry point of the engine process: loads the models, then runs jobs one at a time. */
let engine: LocalEngine | undefined;
let scratch: string | undefined;

process.on('message', async (raw) => {
  const message = raw as ToProcess;
  try {
    if (message.kind === 'start') {
      scratch = message.options.scratch;
      engine = await start(message.options);
      say({ kind: 'ready', facts: engine.facts });
    } else say({ kind: 'answer', answer: await engine?.run(message.job) });
  } catch (error) {
    say({ kind: 'error', error: packEngineError(error) });
  }
});
// The server decides when this process ends; Ctrl-C in a terminal, and closing it, reaches both.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => {});
process.on('disconnect', () => {
  if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  process.exit();
});

function say(message: FromProcess): void {
  process.send?.(message);
}

async function start({ models, universeg, backend, limits, scratch }: EngineOptions): Promise<LocalEngine> {
  const logger: Logger = {
    info: (message) => say({ kind: 'log', level: 'info', message }),
    warn: (message) => say({ kind: 'log', level: 'warn', message }),
  };
  const running = await initBackend(backend, logger);
  const { segmenter, tracking } = await loadClipModels(models);
  const { detector = shippedModels.detector, adapter } = models;
  const own = (await isExported(detector)) ? join(detector, 'masker') : shippedModels.masker;
  const byExemplars =
    universeg === undefined ? undefined : new ExemplarModel(nameOf(universeg), await UniverSegPredictor.load(universeg), limits);
  const names = {
    backend: running,
    detector: nameOf(detector),
    masker: segmenter.masker === undefined ? null : nameOf(models.masker ?? own),
    adapter: adapter === undefined ? null : nameOf(adapter),
  };
  return new LocalEngine(segmenter, limits, names, { byExemplars, tracking, scratch });
}

/** The last component of a folder's path: its location stays private. */
function nameOf(model: string): string {
  return resolve(model).split(sep).slice(-2).join('/');
}
