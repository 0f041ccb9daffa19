import type { FastifyRequest } from 'fastify';
import { escapeHtml } from '../util/index.js';
import type { ErrorAnswer } from './http-error.js';

/**
 * Whether the client is a browser navigating to a path outside the API.
 *
 * @param request - a refused request, with or without a route.
 */
export function wantsPage({ method, headers, is404, routeOptions }: FastifyRequest): boolean {
  const ofApi = !is404 && routeOptions.url !== undefined && routeOptions.config.open !== true;
  if (ofApi || !['GET', 'HEAD'].includes(method)) return false;
  return headers['sec-fetch-mode'] === 'navigate' || /\btext\/html\b/.test(headers.accept ?? '');
}

/** The error as a page without scripts or styles. It contains nothing from the request. */
export function errorPage({ status, where, what, fix }: ErrorAnswer): string {
  const lines = [sentence(`${where}: ${what}`), ...(fix === undefined ? [] : [sentence(fix)])];
  // With a refused host name, the link would lead to the same refusal.
  if (where !== 'host') lines.push('<a href="/">The page of this server</a>');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<title>sonoground: ${status}</title>
</head>
<body>
<h1>sonoground</h1>
${lines.map((line) => `<p>${line}</p>`).join('\n')}
</body>
</html>
`;
}

function sentence(text: string): string {
  const escaped = escapeHtml(text);
  return escaped.endsWith('.') ? escaped : `${escaped}.`;
}
