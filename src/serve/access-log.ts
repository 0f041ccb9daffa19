import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../util/index.js';
import { SENDER_LEFT } from './queue.js';

/** Stands for a path that is no route's: what was asked for may hold anything. */
export const NO_ROUTE = '-';

/**
 * Logs a request when it is over, whether its answer was taken or its sender left before: method, route, status and time. The route
 * is the pattern and never the address; contents, names and tokens are not logged either.
 */
export function logWhenOver(request: FastifyRequest, reply: FastifyReply, logger: Logger): void {
  const begin = performance.now();
  let over = false;
  const write = (status: number) => {
    if (over) return;
    over = true;
    // A method is one of those that Node's parser knows.
    logger.info(
      `${request.method} ${request.routeOptions.url ?? NO_ROUTE} ${status} ${(performance.now() - begin).toFixed(0)} ms`,
    );
  };
  // Node lets an answer finish that was cut off.
  const finish = () => write(reply.raw.destroyed ? SENDER_LEFT : reply.raw.statusCode);
  reply.raw.once('finish', finish).once('close', () => write(SENDER_LEFT));
}
