import { CheckpointError } from './checkpoint-error.js';
import type { ErrorCode } from './codes.js';
import { ConfigError } from './config-error.js';
import { DataError } from './data-error.js';
import { InUseError } from './in-use-error.js';
import { RuntimeError } from './runtime-error.js';
import { SonogroundError } from './sonoground-error.js';
import { UsageError } from './usage-error.js';

/** An error as it is sent between threads and processes, where it would lose its class. */
export interface SentError {
  readonly name: string;
  readonly code: ErrorCode;
  readonly where: string;
  readonly what: string;
  readonly fix?: string;
}

const CLASSES = { CheckpointError, ConfigError, DataError, InUseError, RuntimeError, UsageError } as const;

/** The parts of an error, for {@link unpackError} on the other side. */
export function packError({ name, code, where, what, fix }: SonogroundError): SentError {
  return { name, code, where, what, ...(fix === undefined ? {} : { fix }) };
}

/** The error with its class, code and parts; a class of another folder arrives as a {@link SonogroundError}. */
export function unpackError({ name, ...parts }: SentError): SonogroundError {
  const Known = CLASSES[name as keyof typeof CLASSES] ?? SonogroundError;
  return new Known(parts as never); // the code was valid for this class when sent
}
