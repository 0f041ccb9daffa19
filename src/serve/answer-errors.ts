import { hasZodFastifySchemaValidationErrors } from '@fastify/type-provider-zod';
import type { FastifyError, FastifyReply } from 'fastify';
import { DataError, type Logger, SonogroundError, UsageError } from '../util/index.js';
import { discardBody, tooLarge } from './arrival/index.js';
import { errorPage, wantsPage } from './error-page.js';
import { type ErrorAnswer, HttpError } from './http-error.js';
import type { ServeLimits } from './limits.js';

/** Maximum length of request content quoted in an error. */
const QUOTED = 200;

/** Our wording of the framework's errors; `tooLarge` has its own. */
const KNOWN: Readonly<Record<string, ErrorAnswer>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: {
    status: 400,
    code: 'E_HTTP_REQUEST',
    where: 'body',
    what: 'it is not JSON',
    fix: 'See /openapi.json',
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: {
    status: 400,
    code: 'E_HTTP_REQUEST',
    where: 'body',
    what: 'it is empty',
    fix: 'See /openapi.json',
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    status: 415,
    code: 'E_HTTP_MEDIA_TYPE',
    where: 'content-type',
    what: 'bodies of this kind are not read',
    fix: 'Send application/json or multipart/form-data',
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    status: 400,
    code: 'E_HTTP_REQUEST',
    where: 'body',
    what: 'it is cut off',
    fix: 'Send it again',
  },
  FST_PROTO_VIOLATION: { status: 400, code: 'E_HTTP_REQUEST', where: 'form', what: 'a field has a name that none may have' },
  FST_PARTS_LIMIT: { status: 413, code: 'E_HTTP_TOO_LARGE', where: 'form', what: 'it has too many parts' },
  FST_FIELDS_LIMIT: { status: 413, code: 'E_HTTP_TOO_LARGE', where: 'form', what: 'it has too many fields' },
  FST_FILES_LIMIT: {
    status: 413,
    code: 'E_HTTP_TOO_LARGE',
    where: 'form',
    what: 'it has too many files',
    fix: 'Send one file, in the field image',
  },
  FST_INVALID_JSON_FIELD_ERROR: {
    status: 400,
    code: 'E_HTTP_FIELD',
    where: 'form',
    what: 'a field is not the JSON that it says it is',
  },
};

const TOO_LARGE = ['FST_ERR_CTP_BODY_TOO_LARGE', 'FST_REQ_FILE_TOO_LARGE'];

const FAILED: ErrorAnswer = {
  status: 500,
  code: 'E_HTTP_FAILED',
  where: 'server',
  what: 'something went wrong',
  fix: 'The server has written down what it was',
};

/**
 * Sends the readable part of an error: never a stack trace, never a server path. A browser user gets a page, programs get JSON.
 */
export function answerError(error: unknown, reply: FastifyReply, limits: ServeLimits, logger: Logger): FastifyReply {
  const { request } = reply;
  const answer = errorAnswerOf(error, limits);
  // Unexpected errors are logged on the server, not sent to the client.
  if (answer.status === 500)
    logger.warn(`not expected: ${quoted(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error))}`);
  if (error instanceof HttpError && error.retryAfter !== undefined) reply.header('retry-after', error.retryAfter);
  if (error instanceof HttpError && error.allow !== undefined) reply.header('allow', error.allow);
  if (answer.status === 401) reply.header('www-authenticate', 'Bearer');
  // The framework closes the connection after refusing a body, although the client may still be sending and not yet reading.
  reply.removeHeader('connection');
  if (answer.status === 408) reply.header('connection', 'close');
  else discardBody(request.raw, limits);
  reply.code(answer.status);
  if (wantsPage(request)) return reply.type('text/html; charset=utf-8').send(errorPage(answer));
  // Bypasses the route's response schema: a mismatch would cause another error.
  return reply
    .type('application/json; charset=utf-8')
    .serializer((payload: unknown) => JSON.stringify(payload))
    .send(answer);
}

/** The readable part of an error. */
export function errorAnswerOf(error: unknown, limits: ServeLimits): ErrorAnswer {
  if (error instanceof HttpError) return partsOf(error, error.status);
  if (error instanceof DataError || error instanceof UsageError) return partsOf(error, 422);
  if (error instanceof SonogroundError) return FAILED;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const [issue] = error.validation;
    const where = (issue?.instancePath ?? '').replace(/^\//, '').replaceAll('/', '.') || 'body';
    const what = (issue?.message ?? 'it is not as expected').replace(/^Invalid input: /, '');
    return { status: 400, code: 'E_HTTP_FIELD', where: quoted(where), what: quoted(what) };
  }
  const { code = '', statusCode = 500 } = error as FastifyError;
  if (TOO_LARGE.includes(code)) return partsOf(tooLarge(limits), 413);
  const known = KNOWN[code];
  if (known !== undefined) return known;
  // Reworded: the original message may quote the request or expose code paths.
  return statusCode >= 400 && statusCode < 500
    ? { status: statusCode, code: 'E_HTTP_REQUEST', where: 'request', what: 'it cannot be understood', fix: 'See /openapi.json' }
    : FAILED;
}

function partsOf({ code, where, what, fix }: SonogroundError, status: number): ErrorAnswer {
  return { status, code, where: quoted(where), what: quoted(what), ...(fix === undefined ? {} : { fix: quoted(fix) }) };
}

/** Makes text safe for a terminal or log line: short, and without control characters. */
function quoted(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\uFFFD');
  return clean.length <= QUOTED ? clean : `${clean.slice(0, QUOTED)}…`;
}
