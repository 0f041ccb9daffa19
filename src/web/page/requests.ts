const TOKEN = 'sonoground-token';

/** An error response with a readable message. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Moves the token from the URL fragment, where the server's own link has it, to the session storage. */
export function takeToken(): void {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token === null) return;
  rememberToken(token);
  history.replaceState(null, '', location.pathname);
}

/** Keeps the token for the lifetime of this tab. */
export function rememberToken(token: string): void {
  sessionStorage.setItem(TOKEN, token);
}

/** Sends JSON. */
export async function post(path: string, body: object, signal: AbortSignal): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  return (await ask(path, { method: 'POST', headers, body: JSON.stringify(body), signal })).json();
}

/**
 * Asks the server, with the token of this tab.
 *
 * @throws ApiError when it refuses, or does not answer.
 */
export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const token = sessionStorage.getItem(TOKEN);
  const headers = {
    ...(init.headers as Record<string, string>),
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  };
  const response = await fetch(path, { ...init, headers }).catch((error: unknown) => {
    if ((error as Error).name === 'AbortError') throw error;
    throw new ApiError(0, 'The server does not answer');
  });
  if (response.ok) return response;
  const { where, what, fix } = await response.json().catch(() => ({ where: 'server', what: `answers ${response.status}` }));
  throw new ApiError(response.status, `${where}: ${what}${fix === undefined ? '' : `. ${fix}`}`);
}
