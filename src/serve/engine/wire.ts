import {
  CheckpointError,
  ConfigError,
  DataError,
  type ErrorCode,
  InUseError,
  type Logger,
  RuntimeError,
  SonogroundError,
  UsageError,
} from '../../util/index.js';
import { HttpError } from '../http-error.js';
import type { EngineFacts, EngineOptions } from './engine.js';
import type { Job } from './jobs.js';

/** A serialised error, which would lose its class between processes. */
export interface SentError {
  readonly name: string;
  readonly code: ErrorCode;
  readonly where: string;
  readonly what: string;
  readonly fix?: string;
  readonly status?: number;
}

/** Messages from the engine process: first `ready` or an error, then one answer per job. */
export type FromProcess =
  | { readonly kind: 'ready'; readonly facts: EngineFacts }
  | { readonly kind: 'log'; readonly level: keyof Logger; readonly message: string }
  | { readonly kind: 'answer'; readonly answer: unknown }
  | { readonly kind: 'error'; readonly error: SentError };

/** Messages to the engine process. */
export type ToProcess = { readonly kind: 'start'; readonly options: EngineOptions } | { readonly kind: 'job'; readonly job: Job };

const CLASSES = { CheckpointError, ConfigError, DataError, InUseError, RuntimeError, UsageError } as const;

export function packError(error: unknown): SentError {
  if (!(error instanceof SonogroundError)) {
    const what = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return { name: 'Error', code: 'E_HTTP_FAILED', where: 'server', what };
  }
  const { name, code, where, what, fix } = error;
  return {
    name,
    code,
    where,
    what,
    ...(fix === undefined ? {} : { fix }),
    ...(error instanceof HttpError ? { status: error.status } : {}),
  };
}

export function unpackError({ name, status, ...parts }: SentError): Error {
  if (status !== undefined) return new HttpError({ ...parts, code: parts.code as HttpError['code'], status });
  if (name === 'Error') return new Error(parts.what);
  const Known = CLASSES[name as keyof typeof CLASSES] ?? SonogroundError;
  return new Known(parts as never); // the code was valid for this class when sent
}
