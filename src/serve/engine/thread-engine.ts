import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { BackendName } from '../../backend/index.js';
import type { LoadOptionsOrBoxes } from '../../infer/index.js';
import { type Logger, silentLogger } from '../../util/index.js';
import { HttpError } from '../http-error.js';
import type { ServeLimits } from '../limits.js';
import type { Engine, EngineFacts } from './engine.js';
import type { AnswerOf, Job } from './jobs.js';
import { type FromThread, unpackError } from './wire.js';

export interface EngineOptions {
  readonly models: LoadOptionsOrBoxes;
  readonly backend: BackendName;
  readonly limits: ServeLimits;
}

/**
 * Computes in a thread of its own, so that the server answers while a model runs, and what runs too long can be ended: then, and
 * when the thread dies, the models are loaded anew for the next job.
 */
export class ThreadEngine implements Engine {
  readonly facts: EngineFacts;
  private readonly options: EngineOptions;
  private readonly logger: Logger;
  private worker: Worker | undefined;
  private closed = false;

  /** @throws SonogroundError when the models cannot be loaded. */
  static async start(options: EngineOptions, logger: Logger = silentLogger): Promise<ThreadEngine> {
    const worker = spawn(options);
    return new ThreadEngine(options, logger, worker, await ready(worker, logger));
  }

  private constructor(options: EngineOptions, logger: Logger, worker: Worker, facts: EngineFacts) {
    this.options = options;
    this.logger = logger;
    this.facts = facts;
    this.worker = worker;
    this.watch(worker);
  }

  async run<J extends Job>(job: J, signal?: AbortSignal): Promise<AnswerOf<J>> {
    const worker = this.worker ?? (await this.restart());
    const stop = () => void this.drop(worker);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      worker.postMessage(job);
      return (await nextAnswer(worker, this.logger)) as AnswerOf<J>;
    } catch (cause) {
      if (signal?.aborted !== true) throw cause;
      throw new HttpError({
        status: 504,
        where: 'server',
        what: 'this took longer than a request may',
        fix: 'Send a smaller image, or start the server with a longer --timeout',
        cause,
      });
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  private async restart(): Promise<Worker> {
    if (this.closed) throw new HttpError({ status: 503, where: 'server', what: 'it is going down' });
    this.logger.warn('loading the models anew');
    const worker = spawn(this.options);
    await ready(worker, this.logger);
    this.worker = worker;
    this.watch(worker);
    return worker;
  }

  private watch(worker: Worker): void {
    // Errors between jobs would otherwise end the process.
    worker.on('error', (error) => this.logger.warn(`the thread that computes failed: ${error.message.split('\n')[0]}`));
    worker.once('exit', () => {
      if (this.worker === worker) this.worker = undefined;
    });
  }

  private async drop(worker: Worker): Promise<void> {
    if (this.worker === worker) this.worker = undefined;
    await worker.terminate();
  }

  async close(): Promise<void> {
    this.closed = true;
    if (this.worker !== undefined) await this.drop(this.worker);
  }
}

/** The built entry of the thread, also when this module runs from its source. */
function spawn(options: EngineOptions): Worker {
  const here = import.meta.url.replace(/\/src\/serve\/engine\/[^/]*$/, '/dist/serve/engine/');
  return new Worker(fileURLToPath(new URL('./engine-worker.js', here)), { workerData: options, execArgv: [] });
}

async function ready(worker: Worker, logger: Logger): Promise<EngineFacts> {
  try {
    return (await next(worker, logger, 'ready')).facts;
  } catch (error) {
    await worker.terminate();
    throw error;
  }
}

async function nextAnswer(worker: Worker, logger: Logger): Promise<unknown> {
  return (await next(worker, logger, 'answer')).answer;
}

/** Waits for a message of a kind. An error that the thread reports is thrown, as is its end. */
function next<K extends 'ready' | 'answer'>(
  worker: Worker,
  logger: Logger,
  kind: K,
): Promise<Extract<FromThread, { readonly kind: K }>> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      worker.off('message', onMessage);
      worker.off('error', onError);
      worker.off('exit', onExit);
      finish();
    };
    const onMessage = (message: FromThread) => {
      if (message.kind === 'log') logger[message.level](message.message);
      else if (message.kind === 'error') settle(() => reject(unpackError(message.error)));
      else if (message.kind === kind) settle(() => resolve(message as Extract<FromThread, { readonly kind: K }>));
    };
    const onError = (error: Error) => settle(() => reject(error));
    const onExit = () => settle(() => reject(new Error('the thread that computes ended')));
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.on('exit', onExit);
  });
}
