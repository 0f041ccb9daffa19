import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { UsageError } from '../util/index.js';
import { HttpError } from './http-error.js';

/** Letters that a token has at least. */
const SHORTEST_TOKEN = 16;

/** Whether an address is reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/**
 * The token that requests must carry: none on loopback unless one is given; elsewhere one is made if none is given.
 *
 * @param names - other names by which the server is reached; behind a proxy others reach it on loopback too.
 * @throws UsageError for one that could be guessed.
 */
export function tokenFor(host: string, names: readonly string[], given: string | undefined): string | undefined {
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
  return isLoopback(host) && names.every(isLoopback) ? undefined : randomBytes(24).toString('base64url');
}

/** Checks `Authorization: Bearer TOKEN` in a time that does not depend on how much of it is right. */
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

/** Of equal length, whatever was sent. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** What a request says of where it goes and where it comes from. */
export interface Origins {
  /** The target as it was sent: a path, or a whole address. */
  readonly target: string;
  /** The Host header. */
  readonly host: string | undefined;
  /** The Origin header. */
  readonly origin?: string | undefined;
  /** Sec-Fetch-Site. */
  readonly site?: string | undefined;
  /** Whether a person follows a link, or types the address, of something that is no secret. */
  readonly visit?: boolean;
}

/**
 * Refuses requests that a foreign web page makes a browser send: those for a name that is not this server's (a name that was
 * pointed at this address meanwhile), and those from pages of another origin, be it another port of this machine. An address of
 * numbers cannot be pointed elsewhere. A foreign page may link to ours.
 *
 * @param names - the names by which the server is reached besides `localhost` and the machine's own.
 */
export function checkOrigin(names: readonly string[], { target, host = '', origin, site, visit = false }: Origins): void {
  // A whole address counts before the header (RFC 9112, 3.2.2).
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
