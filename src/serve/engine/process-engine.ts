import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Logger, silentLogger } from '../../util/index.js';
import { HttpError } from '../http-error.js';
import type { Engine, EngineFacts, EngineOptions } from './engine.js';
import type { AnswerOf, Job } from './jobs.js';
import { type FromProcess, type ToProcess, unpackEngineError } from './wire.js';

/**
 * Runs jobs in a separate process, so that the server stays responsive while a model runs, overlong jobs can be killed, and a
 * crash in native code affects only one request. The models are then reloaded for the next job.
 */
export class ProcessEngine implements Engine {
  readonly facts: EngineFacts;
  private readonly options: EngineOptions;
  private readonly logger: Logger;
  private child: ChildProcess | undefined;
  private closed = false;

  /** @throws SonogroundError when the models cannot be loaded. */
  static async start(options: EngineOptions, logger: Logger = silentLogger): Promise<ProcessEngine> {
    const { child, facts } = await load(options, logger);
    return new ProcessEngine(options, logger, child, facts);
  }

  private constructor(options: EngineOptions, logger: Logger, child: ChildProcess, facts: EngineFacts) {
    this.options = options;
    this.logger = logger;
    this.facts = facts;
    this.use(child);
  }

  async run<J extends Job>(job: J, signal?: AbortSignal): Promise<AnswerOf<J>> {
    if (this.closed) throw new HttpError({ code: 'E_HTTP_BUSY', status: 503, where: 'server', what: 'it is going down' });
    const child = this.child ?? (await this.restart());
    const stop = () => void end(child);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      const answer = next(child, this.logger, 'answer');
      say(child, { kind: 'job', job });
      if (signal?.aborted === true) stop();
      return (await answer).answer as AnswerOf<J>;
    } catch (cause) {
      if (signal?.aborted !== true) throw cause;
      throw new HttpError({
        code: 'E_HTTP_TIMEOUT',
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

  private async restart(): Promise<ChildProcess> {
    this.logger.warn('loading the models again');
    const { child } = await load(this.options, this.logger);
    this.use(child);
    return child;
  }

  private use(child: ChildProcess): void {
    this.child = child;
    child.once('exit', () => {
      if (this.child === child) this.child = undefined;
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    if (this.child !== undefined) await end(this.child);
  }
}

async function load(options: EngineOptions, logger: Logger): Promise<{ child: ChildProcess; facts: EngineFacts }> {
  const scratch = await mkdtemp(join(tmpdir(), 'sonoground-')).catch((error: NodeJS.ErrnoException) => {
    logger.warn(`no videos: there is no folder for them while they are open (${error.code})`);
    return undefined;
  });
  // The compiled entry point, even when this module runs from source.
  const here = import.meta.url.replace(/\/src\/serve\/engine\/[^/]*$/, '/dist/serve/engine/');
  // Advanced serialisation preserves byte arrays.
  const child = fork(fileURLToPath(new URL('./engine-process.js', here)), { serialization: 'advanced', execArgv: [] });
  // Also after a crash.
  if (scratch !== undefined) child.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
  try {
    const ready = next(child, logger, 'ready');
    say(child, { kind: 'start', options: { ...options, scratch } });
    return { child, facts: (await ready).facts };
  } catch (error) {
    await end(child);
    throw error;
  }
}

/** Kills the process whatever its state; it holds nothing that needs cleanup. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = once(child, 'exit');
  child.kill('SIGKILL');
  await over;
}

/** A message that is not delivered shows up as the end of the process. */
function say(child: ChildProcess, message: ToProcess): void {
  child.send(message, () => {});
}

/** Waits for a message of a kind. Throws errors reported by the process, and when it ends. */
function next<K extends 'ready' | 'answer'>(
  child: ChildProcess,
  logger: Logger,
  kind: K,
): Promise<Extract<FromProcess, { readonly kind: K }>> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      child.off('message', onMessage);
      child.off('error', onError);
      child.off('exit', onExit);
      finish();
    };
    const onMessage = (raw: unknown) => {
      const message = raw as FromProcess;
      if (message.kind === 'log') logger[message.level](message.message);
      else if (message.kind === 'error') settle(() => reject(unpackEngineError(message.error)));
      else if (message.kind === kind) settle(() => resolve(message as Extract<FromProcess, { readonly kind: K }>));
    };
    const onError = (error: Error) => settle(() => reject(error));
    const onExit = (code: number | null, signal: string | null) =>
      settle(() => reject(new Error(`the process that computes ended (${signal ?? code})`)));
    child.on('message', onMessage);
    child.on('error', onError);
    child.on('exit', onExit);
  });
}
