import { ConnectionLost, isLoopbackHost, SilenceWatch } from '../../util/index.js';
import { HubError } from './hub-error.js';
import type { Pace } from './retry.js';
import type { HubSettings } from './settings.js';

/** A response whose body has not been read. */
export interface Answer {
  readonly response: Response;
  /** Final URL after redirects. */
  readonly url: URL;
  /** Whether it came from the endpoint itself, which knows repositories and tokens, rather than from a storage host. */
  readonly fromEndpoint: boolean;
  /** The endpoint's headers, from before a redirect to a storage host. */
  readonly headers: Headers;
  /** Chunks of the body; a pause of `pace.silenceMs` throws {@link ConnectionLost}. */
  pieces(): AsyncGenerator<Uint8Array, void>;
  /** Must be called. */
  close(): void;
}

interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Requests only the headers, and does not follow redirects to other hosts. */
  readonly headersOnly?: boolean;
}

const REDIRECTS = [301, 302, 303, 307, 308];
const MOST_REDIRECTS = 5;

/**
 * Sends a request to the endpoint, following redirects manually: the token is sent to no host but the endpoint's, and only over
 * an encrypted or loopback connection.
 *
 * @throws ConnectionLost; HubError when a redirect is not allowed or the token would be sent unencrypted.
 */
export async function request(
  address: string,
  settings: HubSettings,
  pace: Pace,
  { headers = {}, headersOnly = false }: RequestOptions = {},
): Promise<Answer> {
  const home = new URL(settings.endpoint).origin;
  const watch = new SilenceWatch(pace.silenceMs);
  let url = new URL(address);
  let own: Headers | undefined;
  try {
    for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
      const fromEndpoint = url.origin === home;
      if (fromEndpoint) requireSecret(url, settings);
      const authorization = fromEndpoint && settings.token !== undefined ? { authorization: `Bearer ${settings.token}` } : {};
      watch.heard();
      const response = await fetch(url, {
        method: headersOnly ? 'HEAD' : 'GET',
        redirect: 'manual',
        signal: watch.signal,
        // A compressed body would make every length in the headers meaningless.
        headers: { ...headers, 'accept-encoding': 'identity', 'user-agent': 'sonoground', ...authorization },
      });
      if (fromEndpoint) own = response.headers;
      const next = REDIRECTS.includes(response.status) ? target(response, url) : undefined;
      if (next === undefined || (headersOnly && next.origin !== home))
        return new OpenAnswer(response, url, fromEndpoint, own ?? response.headers, watch);
      await response.body?.cancel();
      url = next;
    }
    throw new HubError({
      code: 'E_HUB_ANSWER',
      where: address,
      what: `expected the file, got more than ${MOST_REDIRECTS} redirects`,
    });
  } catch (cause) {
    watch.stop();
    throw ConnectionLost.from(cause, url);
  }
}

function requireSecret({ protocol, hostname, host }: URL, { token }: HubSettings): void {
  if (token === undefined || protocol === 'https:' || isLoopbackHost(hostname)) return;
  throw new HubError({
    code: 'E_ENVIRONMENT',
    where: 'HF_ENDPOINT',
    what: `the token would go to ${host} over plain http, where anybody on the way can read it`,
    fix: 'Use an https address; or go without a token: unset HF_TOKEN and set HF_HUB_DISABLE_IMPLICIT_TOKEN=1',
  });
}

function target(response: Response, from: URL): URL {
  const location = response.headers.get('location') ?? '';
  const url = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  const allowed = from.protocol === 'https:' ? ['https:'] : ['http:', 'https:'];
  if (url === undefined || !allowed.includes(url.protocol))
    throw new HubError({
      code: 'E_HUB_ANSWER',
      where: from.href,
      what: `expected a redirect to ${allowed.join(' or ')}//…, got ${JSON.stringify(location)}`,
      fix: 'Check HF_ENDPOINT',
    });
  return url;
}

class OpenAnswer implements Answer {
  constructor(
    readonly response: Response,
    readonly url: URL,
    readonly fromEndpoint: boolean,
    readonly headers: Headers,
    private readonly watch: SilenceWatch,
  ) {}

  async *pieces(): AsyncGenerator<Uint8Array, void> {
    const reader = this.response.body?.getReader();
    try {
      for (;;) {
        const piece = await reader?.read();
        if (piece?.value === undefined) return;
        this.watch.heard();
        yield piece.value;
      }
    } catch (cause) {
      throw ConnectionLost.from(cause, this.url);
    }
  }

  close(): void {
    this.watch.stop();
  }
}
