import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { UsageError } from '../util/index.js';
import { HttpError } from './http-error.js';

/** Minimum length of a token. */
const SHORTEST_TOKEN = 16;

/** Whether an address is reachable only from this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/**
 * The token that requests must carry: on loopback none unless one is given, or pages of other origins are allowed; elsewhere one is
 * generated if none is given.
 *
 * @param names - further host names of the server; behind a proxy, other machines reach a loopback server too.
 * @param origins - of other pages that may use it: they always need a token.
 * @throws UsageError for a token that could be guessed.
 */
export function tokenFor(
  host: string,
  names: readonly string[],
  given: string | undefined,
  origins: readonly string[] = [],
): string | undefined {
  if (given !== undefined && !/^[\x21-\x7e]+$/.test(given))
    throw new UsageError({
      code: 'E_OPTION_VALUE',
      where: '--token',
      what: 'it holds blanks or letters that a header cannot carry',
      fix: 'Use ASCII',
    });
  if (given !== undefined && given.length < SHORTEST_TOKEN)
    throw new UsageError({
      code: 'E_OPTION_VALUE',
      where: '--token',
      what: `it has ${given.length} letters, at least ${SHORTEST_TOKEN} are needed`,
      fix: 'Leave it out to have one made',
    });
  if (given !== undefined) return given;
  return isLoopback(host) && names.every(isLoopback) && origins.length === 0 ? undefined : randomBytes(24).toString('base64url');
}

/** Checks `Authorization: Bearer TOKEN` in constant time. */
export function checkToken(token: string, authorization: string | undefined): void {
  const given = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? '';
  if (timingSafeEqual(digest(given), digest(token))) return;
  throw new HttpError({
    code: 'E_HTTP_TOKEN',
    status: 401,
    where: 'authorization',
    what: authorization === undefined ? 'a token is needed' : 'this token is not the right one',
    fix: 'Send the header "Authorization: Bearer TOKEN" with the token that the server printed',
  });
}

/** Hashes to equal length, for the constant-time comparison. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Destination and origin of a request. */
export interface Origins {
  /** The request target as sent: a path, or an absolute URL. */
  readonly target: string;
  /** The Host header. */
  readonly host: string | undefined;
  /** The Origin header. */
  readonly origin?: string | undefined;
  /** Sec-Fetch-Site. */
  readonly site?: string | undefined;
  /** Whether this is a user navigating to a public page by link or address bar. */
  readonly visit?: boolean;
  /** Origins of other pages that are allowed. */
  readonly origins?: readonly string[];
}

/**
 * Refuses cross-site requests: those for a host name that is not this server's (DNS rebinding), and those from pages of another
 * origin, including other ports of this machine. IP addresses cannot be rebound. Links from other sites to the page are allowed.
 *
 * @param names - host names of the server besides `localhost` and the machine's own.
 */
export function checkOrigin(
  names: readonly string[],
  { target, host = '', origin, site, visit = false, origins = [] }: Origins,
): void {
  // An absolute URL takes precedence over the header (RFC 9112, 3.2.2).
  const asked = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(target)?.[1] ?? host;
  const name = nameOf(asked);
  const known = ['localhost', hostname().toLowerCase(), ...names.map((own) => own.toLowerCase())];
  if (name === undefined || !(isIP(name) > 0 || known.includes(name)))
    throw new HttpError({
      code: 'E_HTTP_FORBIDDEN',
      status: 403,
      where: 'host',
      what: 'this server is not called so',
      fix: 'Use its address, or start it with --allow-host NAME',
    });
  if (origin !== undefined && origins.includes(origin)) return;
  const foreign = origin !== undefined && originHost(origin) !== asked.toLowerCase();
  const elsewhere = site !== undefined && !['same-origin', 'none'].includes(site.toLowerCase());
  if (foreign || (elsewhere && !visit))
    throw new HttpError({
      code: 'E_HTTP_FORBIDDEN',
      status: 403,
      where: 'origin',
      what: 'pages of other servers may not use this one',
    });
}

/** The name in a Host header, without port and brackets. */
function nameOf(host: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(host) ?? [];
  return (bracketed ?? plain)?.toLowerCase();
}

function originHost(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host.toLowerCase() : undefined;
}
