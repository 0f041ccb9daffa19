import type { FastifyRequest } from 'fastify';
import { UsageError } from '../util/index.js';

/** Methods and headers that pages of allowed origins may use. */
const METHODS = 'GET, HEAD, POST, PUT, DELETE';
const HEADERS = 'authorization, content-type, accept';

/** How long browsers may keep the answer to a preflight, in seconds. */
const KEEP_S = 600;

/**
 * Checks the origins whose pages may use the server.
 *
 * @throws UsageError for anything but `https://host:port`.
 */
export function parseOrigins(texts: readonly string[]): string[] {
  return texts.map((text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url !== undefined && ['http:', 'https:'].includes(url.protocol) && `${url.origin}/` === url.href) return url.origin;
    throw new UsageError({
      code: 'E_OPTION_VALUE',
      where: '--allow-origin',
      what: `expected the origin of a page, got ${JSON.stringify(text)}`,
      fix: 'Write it as https://viewer.example.org or http://localhost:3000, without a path',
    });
  });
}

/** The headers by which a browser lets a page of an allowed origin read a response; none for any other. */
export function corsHeaders({ headers }: FastifyRequest, origins: readonly string[]): Readonly<Record<string, string>> {
  const { origin } = headers;
  if (origins.length === 0) return {};
  if (origin === undefined || !origins.includes(origin)) return { vary: 'origin' };
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'content-disposition, retry-after',
    vary: 'origin',
  };
}

/**
 * The further headers that answer a preflight of a page of an allowed origin; undefined for any other request. Browsers send it
 * without credentials.
 */
export function preflightHeaders(
  { method, headers }: FastifyRequest,
  origins: readonly string[],
): Readonly<Record<string, string>> | undefined {
  const { origin } = headers;
  if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return undefined;
  if (origin === undefined || !origins.includes(origin)) return undefined;
  return {
    'access-control-allow-methods': METHODS,
    'access-control-allow-headers': HEADERS,
    'access-control-max-age': String(KEEP_S),
    // A page of a public address that asks one of the local network.
    ...(headers['access-control-request-private-network'] === 'true' && { 'access-control-allow-private-network': 'true' }),
  };
}

/** The part of a path that carries the token: `/with-token/TOKEN/info/`. */
const WITH_TOKEN = /^\/with-token\/([\x21-\x2e\x30-\x7e]+)(\/.*)$/;

/**
 * Takes the token from the path of a request, for viewers that know an address and no token. The header has precedence; the token
 * is checked like any other.
 *
 * @returns the path without it.
 */
export function tokenFromPath(request: {
  readonly url?: string | undefined;
  readonly headers: { authorization?: string | undefined };
}): string {
  const { url = '/', headers } = request;
  const [, token, rest] = WITH_TOKEN.exec(url) ?? [];
  if (token === undefined || rest === undefined) return url;
  headers.authorization ??= `Bearer ${token}`;
  return rest;
}
