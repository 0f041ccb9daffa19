import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../util/index.js';
import { SENDER_LEFT } from './queue.js';

/** Logged in place of a path without a route, since such a path may contain anything. */
export const NO_ROUTE = '-';

/**
 * Logs a request when it ends, whether its response was delivered or the client disconnected: method, route, status and time. The
 * route is the pattern, never the URL; contents, names and tokens are not logged either.
 */
export function logWhenOver(request: FastifyRequest, reply: FastifyReply, logger: Logger): void {
  const begin = performance.now();
  let over = false;
  const write = (status: number) => {
    if (over) return;
    over = true;
    // Node's parser only accepts known methods.
    logger.info(
      `${request.method} ${request.routeOptions.url ?? NO_ROUTE} ${status} ${(performance.now() - begin).toFixed(0)} ms`,
    );
  };
  // Node emits `finish` even for an aborted response.
  const finish = () => write(reply.raw.destroyed ? SENDER_LEFT : reply.raw.statusCode);
  reply.raw.once('finish', finish).once('close', () => write(SENDER_LEFT));
}
