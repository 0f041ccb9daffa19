import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AnswerOf, Job } from './engine/index.js';
import type { Queue } from './queue.js';

/** A signal that is aborted when the client has disconnected. */
function whenGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  if (reply.raw.destroyed) gone.abort();
  reply.raw.once('close', () => gone.abort());
  return gone.signal;
}

/** Waits for the job's result while the client is connected. The request's memory is held until the job ends. */
export async function ask<J extends Job>(
  queue: Queue,
  request: FastifyRequest,
  reply: FastifyReply,
  job: J,
): Promise<AnswerOf<J>> {
  const gone = whenGone(reply);
  request.share.hold();
  try {
    return await queue.run(job, gone);
  } finally {
    request.share.release();
  }
}
