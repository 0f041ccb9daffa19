import {
  CheckpointError,
  DataError,
  type ErrorParts,
  type Logger,
  RuntimeError,
  SonogroundError,
  UsageError,
} from '../../util/index.js';
import { HttpError } from '../http-error.js';
import type { EngineFacts, EngineOptions } from './engine.js';
import type { Job } from './jobs.js';

/** An error on its way between processes, where it would lose its class. */
export interface SentError {
  readonly name: string;
  readonly where: string;
  readonly what: string;
  readonly fix?: string;
  readonly status?: number;
}

/** What the process that computes says. The first message tells that it is ready, or why not; each further one answers a job. */
export type FromProcess =
  | { readonly kind: 'ready'; readonly facts: EngineFacts }
  | { readonly kind: 'log'; readonly level: keyof Logger; readonly message: string }
  | { readonly kind: 'answer'; readonly answer: unknown }
  | { readonly kind: 'error'; readonly error: SentError };

/** What it is told. */
export type ToProcess = { readonly kind: 'start'; readonly options: EngineOptions } | { readonly kind: 'job'; readonly job: Job };

const CLASSES = { CheckpointError, DataError, RuntimeError, UsageError } as const;

export function packError(error: unknown): SentError {
  if (!(error instanceof SonogroundError)) {
    const what = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return { name: 'Error', where: 'server', what };
  }
  const { name, where, what, fix } = error;
  return {
    name,
    where,
    what,
    ...(fix === undefined ? {} : { fix }),
    ...(error instanceof HttpError ? { status: error.status } : {}),
  };
}

export function unpackError({ name, status, ...parts }: SentError): Error {
  if (status !== undefined) return new HttpError({ ...(parts satisfies ErrorParts), status });
  const Known = CLASSES[name as keyof typeof CLASSES];
  return Known === undefined ? new Error(parts.what) : new Known(parts);
}
