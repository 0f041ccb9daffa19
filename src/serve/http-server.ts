import { createServer, type RequestListener, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from '../util/index.js';
import { NO_ROUTE } from './access-log.js';
import type { ErrorAnswer } from './http-error.js';
import type { ServeLimits } from './limits.js';
import { pageHeaders } from './page-headers.js';

/** Keep-alive timeout in milliseconds. */
const KEEP_ALIVE_MS = 10_000;

/** Interval of Node's check for overlong requests. */
const LOOK_EVERY_MS = 1000;

/** Margin of Node's own timeout over ours, as a fallback. */
const SPARE_MS = 10_000;

/** An HTTP server with limits on the number and duration of connections, which are closed as soon as they are idle. */
export interface BoundedServer {
  readonly server: Server;
  /** Closes connections without a pending request, including unused ones; others once their request ends. */
  closeIdle(): void;
}

export function boundedServer(limits: ServeLimits, listener: RequestListener, logger: Logger): BoundedServer {
  const { timeoutMs, headMs, connections } = limits;
  const requestTimeout = timeoutMs + SPARE_MS;
  const options = { requestTimeout, headersTimeout: Math.min(headMs, requestTimeout), keepAliveTimeout: KEEP_ALIVE_MS };
  const server = createServer({ ...options, connectionsCheckingInterval: LOOK_EVERY_MS }, listener);
  server.maxConnections = connections;
  /** Pending responses by connection; several with pipelining. */
  const open = new Map<Socket, Set<ServerResponse>>();
  let closing = false;
  let full = false;
  server.on('connection', (socket) => {
    full = false;
    if (closing) return void socket.destroy();
    open.set(socket, new Set());
    socket.once('close', () => open.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    const own = open.get(socket);
    own?.add(response);
    response.once('close', () => {
      own?.delete(response);
      if (closing && own?.size === 0) socket.destroySoon();
    });
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const answering = [...(open.get(socket as Socket) ?? [])];
    refuse(error, socket as Socket, answering, logger);
  });
  server.on('drop', () => {
    if (!full) logger.warn(`${connections} connections are open: further ones are refused`);
    full = true;
  });
  const closeIdle = () => {
    closing = true;
    for (const [socket, answers] of open) if (answers.size === 0) socket.destroy();
  };
  return { server, closeIdle };
}

/** Responds to malformed requests in the common error format. */
function refuse(error: NodeJS.ErrnoException, socket: Socket, answering: readonly ServerResponse[], logger: Logger): void {
  // Clients that disconnect early need no response, and browsers open connections speculatively.
  const left = ['ECONNRESET', 'HPE_INVALID_EOF_STATE'].includes(error.code ?? '');
  if (left || !socket.writable || socket.bytesRead === 0) return void socket.destroy();
  // Within a response in progress, another one would be read as part of it.
  const begun = answering.length > 1 || answering.some(({ headersSent }) => headersSent);
  const answer = REFUSALS[error.code ?? ''] ?? UNREADABLE;
  if (answering.length === 0) logger.info(`${NO_ROUTE} ${NO_ROUTE} ${answer.status} 0 ms`);
  if (begun) return void socket.destroy();
  const body = JSON.stringify(answer);
  const head = {
    ...pageHeaders,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}\r\n${lines.join('')}\r\n${body}`, () => socket.destroy());
}

const UNREADABLE: ErrorAnswer = { status: 400, code: 'E_HTTP_REQUEST', where: 'request', what: 'it is not HTTP as it should be' };

const REFUSALS: Readonly<Record<string, ErrorAnswer>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, code: 'E_HTTP_SLOW', where: 'request', what: 'it took too long to arrive' },
  HPE_HEADER_OVERFLOW: { status: 431, code: 'E_HTTP_TOO_LARGE', where: 'request', what: 'its headers are too long' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413,
    code: 'E_HTTP_TOO_LARGE',
    where: 'request',
    what: 'its chunks have too long extensions',
  },
};
