import type { FastifyRequest } from 'fastify';
import { checkOrigin, checkToken } from './access.js';
import { tooLarge } from './arrival/index.js';
import { preflightHeaders } from './cors.js';
import { HttpError } from './http-error.js';
import { bodyBytes, type ServeLimits } from './limits.js';

export interface GateOptions {
  readonly names: readonly string[];
  readonly token: string | undefined;
  /** Origins of other pages that are allowed. */
  readonly origins: readonly string[];
  readonly limits: ServeLimits;
}

/**
 * Accepts or refuses a request by its head and its matched route. The raw URL is not a reliable criterion: `/%76%31/health` and
 * `http://x/v1/health` resolve to `/v1/health`. Everything not marked open by a route is closed, including URLs without a route.
 *
 * @throws HttpError 400, 403, 401, 404, 405, 415 or 413.
 */
export function checkRequest(request: FastifyRequest, { names, token, origins, limits }: GateOptions): void {
  const { method, headers, raw, is404, routeOptions } = request;
  const { open = false, allow } = routeOptions.config;
  // The router would treat other targets as the root.
  if (!/^(\/|https?:\/\/)/i.test(raw.url ?? '')) throw bad('path', 'it is no address');
  if (raw.rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length > 1)
    throw bad('host', 'there is more than one');
  // If a proxy and this server disagree about chunking, a body can be smuggled as a request.
  if ((headers['transfer-encoding'] ?? 'chunked').toLowerCase() !== 'chunked')
    throw bad('transfer-encoding', 'it is not chunked');
  const { host, origin, authorization } = headers;
  const visit = (open || is404) && ['GET', 'HEAD'].includes(method) && headers['sec-fetch-dest'] === 'document';
  checkOrigin(names, { target: raw.url ?? '', host, origin, site: text(headers['sec-fetch-site']), visit, origins });
  // Browsers ask whether a page may ask, without credentials. Nothing but that is answered.
  if (preflightHeaders(request, origins) !== undefined) return;
  if (token !== undefined && !open) checkToken(token, authorization);
  if (is404)
    throw new HttpError({
      code: 'E_HTTP_PATH',
      status: 404,
      where: 'path',
      what: 'there is nothing here',
      fix: 'See /openapi.json',
    });
  if (allow !== undefined)
    throw new HttpError({
      code: 'E_HTTP_METHOD',
      status: 405,
      where: 'method',
      what: `${method} is none of this path`,
      fix: `Use ${allow}`,
      allow,
    });
  if (!hasBody(request)) return;
  if (['GET', 'HEAD'].includes(method)) throw bad('body', `${method} takes none`);
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new HttpError({
      code: 'E_HTTP_MEDIA_TYPE',
      status: 415,
      where: 'content-encoding',
      what: 'packed bodies are not read',
      fix: 'Send it as it is',
    });
  if (Number(headers['content-length'] ?? 0) > bodyBytes(limits)) throw tooLarge(limits);
}

function bad(where: string, what: string): HttpError {
  return new HttpError({ code: 'E_HTTP_REQUEST', status: 400, where, what });
}

/** Whether the head announces a body. */
export function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function text(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0];
}
