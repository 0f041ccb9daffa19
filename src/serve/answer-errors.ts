import { hasZodFastifySchemaValidationErrors } from '@fastify/type-provider-zod';
import type { FastifyError, FastifyReply } from 'fastify';
import { DataError, type Logger, SonogroundError, UsageError } from '../util/index.js';
import { HttpError } from './http-error.js';
import type { ServeLimits } from './limits.js';

/** An error as it is sent. */
export interface ErrorAnswer {
  readonly status: number;
  readonly where: string;
  readonly what: string;
  readonly fix?: string;
}

const TOO_LARGE = ['FST_ERR_CTP_BODY_TOO_LARGE', 'FST_REQ_FILE_TOO_LARGE'];

/** Sends what a person should read of an error: never a stack trace, never a path of the server. */
export function answerError(error: unknown, reply: FastifyReply, limits: ServeLimits, logger: Logger): FastifyReply {
  const answer = answerOf(error, limits);
  // What was not expected is told to whoever runs the server, not to whoever asked.
  if (answer.status === 500)
    logger.warn(`not expected: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
  if (error instanceof HttpError && error.retryAfter !== undefined) reply.header('retry-after', error.retryAfter);
  if (answer.status === 401) reply.header('www-authenticate', 'Bearer');
  return reply.code(answer.status).send(answer);
}

function answerOf(error: unknown, limits: ServeLimits): ErrorAnswer {
  if (error instanceof HttpError) return partsOf(error, error.status);
  if (error instanceof DataError || error instanceof UsageError) return partsOf(error, 422);
  const failed = { status: 500, where: 'server', what: 'something went wrong', fix: 'The server has written down what it was' };
  if (error instanceof SonogroundError) return failed;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const [issue] = error.validation;
    const where = (issue?.instancePath ?? '').replace(/^\//, '').replaceAll('/', '.') || 'body';
    return { status: 400, where, what: (issue?.message ?? 'it is not as expected').replace(/^Invalid input: /, '') };
  }
  const { code = '', statusCode = 500, message } = error as FastifyError;
  if (TOO_LARGE.includes(code)) {
    const fix = 'Make it smaller, or raise the limit';
    return { status: 413, where: 'image', what: `files of up to ${megabytes(limits.uploadBytes)} MB are taken`, fix };
  }
  return statusCode >= 400 && statusCode < 500 ? { status: statusCode, where: 'request', what: message } : failed;
}

function partsOf({ where, what, fix }: SonogroundError, status: number): ErrorAnswer {
  return { status, where, what, ...(fix === undefined ? {} : { fix }) };
}

function megabytes(bytes: number): string {
  return String(Number((bytes / 1024 / 1024).toFixed(2)));
}
