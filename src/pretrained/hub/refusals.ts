import { ConnectionLost, retryAfterMs, TryAgain } from '../../util/index.js';
import type { Answer } from './http.js';
import { HubError, UnreachableError } from './hub-error.js';
import type { HubSettings } from './settings.js';

/** Explains in one line why a host cannot be reached, with a fix. */
export function unreachable(where: string, { code, url, cause, untrusted, problem }: ConnectionLost): UnreachableError {
  if (untrusted)
    return new UnreachableError({
      code: 'E_HUB_CERTIFICATE',
      where,
      what: `the certificate of ${url.origin} is not trusted (${code})`,
      fix: 'If a proxy of your network looks into connections, let NODE_EXTRA_CA_CERTS name its certificate',
      cause,
    });
  return new UnreachableError({
    code: 'E_HUB_UNREACHABLE',
    where,
    what: `it is needed from ${url.origin}, but ${problem}`,
    fix: 'Connect this machine, set HF_ENDPOINT to a mirror, or copy the model’s files here by hand and use their folder',
    cause,
  });
}

/** The error for a request forbidden by HF_HUB_OFFLINE. */
export function forbiddenByOffline(where: string, { endpoint }: HubSettings): UnreachableError {
  return new UnreachableError({
    code: 'E_HUB_OFFLINE',
    where,
    what: `it is needed from ${endpoint}, but HF_HUB_OFFLINE is set`,
    fix: 'Unset it, or copy the model’s files here by hand and use their folder',
  });
}

/**
 * Throws unless the response is successful.
 *
 * @param where - the repository, with the file if there is one.
 * @throws TryAgain when the server is busy or a storage host refuses (its URLs expire); HubError otherwise.
 */
export function requireSuccess(where: string, repo: string, answer: Answer, settings: HubSettings): void {
  const { response, url, fromEndpoint } = answer;
  const { status } = response;
  if (status >= 200 && status < 300) return;
  const got = `got ${status} from ${url.origin}`;
  if (status === 429 || status === 408 || status >= 500 || (!fromEndpoint && status !== 404)) {
    const afterMs = retryAfterMs(response.headers.get('retry-after'));
    const when = afterMs === undefined ? '' : `, which asks to wait ${Math.ceil(afterMs / 1000)} s`;
    const fix = status === 429 ? 'Wait and run it again; a token (HF_TOKEN) raises the limit' : 'Wait and run it again';
    throw new TryAgain(new HubError({ code: 'E_HUB_BUSY', where, what: `expected an answer, ${got}${when}`, fix }), afterMs);
  }
  const code = response.headers.get('x-error-code') ?? '';
  throw new HubError({ where, ...refusal(status, code, got, repo, settings) });
}

function refusal(
  status: number,
  code: string,
  got: string,
  repo: string,
  settings: HubSettings,
): Pick<HubError, 'code' | 'what'> & { fix: string } {
  const { endpoint, token, tokenFile } = settings;
  const page = `${endpoint}/${repo}`;
  const giveToken = `give a token of yours: HF_TOKEN=hf_…, or the file ${tokenFile}`;
  if (code === 'GatedRepo' || (status === 403 && code === ''))
    return {
      code: 'E_HUB_DENIED',
      what: `it is gated or private, ${got} ${token === undefined ? 'without a token' : 'with your token'}`,
      fix: `Ask for access at ${page}, then ${giveToken}`,
    };
  if (code === 'RevisionNotFound')
    return { code: 'E_HUB_NOT_FOUND', what: `there is no such revision, ${got}`, fix: `Look at ${page}/tree/main` };
  if (code === 'EntryNotFound')
    return { code: 'E_HUB_NOT_FOUND', what: `there is no such file, ${got}`, fix: `Look at ${page}/tree/main` };
  // Without a token, the hub also answers 401 for missing repositories.
  if (status === 401)
    return {
      code: 'E_HUB_DENIED',
      what: `it does not exist, or is private, ${got} ${token === undefined ? 'without a token' : 'with your token'}`,
      fix: `Check the name at ${page}, or ${giveToken}`,
    };
  if (status === 404)
    return { code: 'E_HUB_NOT_FOUND', what: `it does not exist, ${got}`, fix: `Check the name and the revision at ${page}` };
  return { code: 'E_HUB_ANSWER', what: `expected an answer, ${got}`, fix: 'Check HF_ENDPOINT' };
}

/** Wraps a connection failure as retryable; returns any other error unchanged. */
export function mayPass(where: string, failure: unknown): unknown {
  return failure instanceof ConnectionLost ? new TryAgain(unreachable(where, failure)) : failure;
}
