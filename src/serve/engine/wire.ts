import { type Logger, packError, type SentError, SonogroundError, unpackError } from '../../util/index.js';
import { HttpError } from '../http-error.js';
import type { EngineFacts, EngineOptions } from './engine.js';
import type { Job } from './jobs.js';

/** An error from the engine process; with the status of a response if it has one. */
export interface EngineError extends SentError {
  readonly status?: number;
}

/** Messages from the engine process: first `ready` or an error, then one answer per job. */
export type FromProcess =
  | { readonly kind: 'ready'; readonly facts: EngineFacts }
  | { readonly kind: 'log'; readonly level: keyof Logger; readonly message: string }
  | { readonly kind: 'answer'; readonly answer: unknown }
  | { readonly kind: 'error'; readonly error: EngineError };

/** Messages to the engine process. */
export type ToProcess = { readonly kind: 'start'; readonly options: EngineOptions } | { readonly kind: 'job'; readonly job: Job };

export function packEngineError(error: unknown): EngineError {
  if (error instanceof SonogroundError)
    return { ...packError(error), ...(error instanceof HttpError ? { status: error.status } : {}) };
  const what = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  return { name: 'Error', code: 'E_HTTP_FAILED', where: 'server', what };
}

export function unpackEngineError({ status, ...sent }: EngineError): Error {
  if (status !== undefined) return new HttpError({ ...sent, code: sent.code as HttpError['code'], status });
  return sent.name === 'Error' ? new Error(sent.what) : unpackError(sent);
}
