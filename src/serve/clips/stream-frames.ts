import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { Direction } from '../../infer/index.js';
import { errorAnswerOf } from '../answer-errors.js';
import { whenGone } from '../ask-engine.js';
import { goingDown, HttpError } from '../http-error.js';
import type { ServeLimits } from '../limits.js';
import { type Queue, SENDER_LEFT } from '../queue.js';

interface Course {
  readonly id: string;
  readonly frames: readonly number[];
  readonly direction: Direction;
  /** Of the changes that can be undone. */
  readonly undo: number;
}

interface StreamParts {
  readonly queue: Queue;
  readonly limits: ServeLimits;
  /** Aborted when the server is going down. */
  readonly closing: AbortSignal;
}

/**
 * Carries objects on, frame by frame, and gives a line of JSON for each. Between frames, others have their turn. It ends when the
 * client disconnects; one that does not read for the time of a request is disconnected.
 */
export function streamFrames(course: Course, reply: FastifyReply, { queue, limits, closing }: StreamParts): Readable {
  const { id, frames, direction, undo } = course;
  const gone = whenGone(reply);
  async function* records(): AsyncGenerator<object> {
    yield { frames: frames.length, undo };
    try {
      for (const frame of frames) {
        if (closing.aborted) throw goingDown();
        yield await queue.run({ kind: 'clip-step', id, frame, direction }, gone, { keepsPlace: true });
      }
      yield { done: true };
    } catch (error) {
      if (error instanceof HttpError && error.status === SENDER_LEFT) return;
      yield { error: errorAnswerOf(error, limits) };
    }
  }
  async function* lines(): AsyncGenerator<string> {
    for await (const record of records()) {
      const timer = setTimeout(() => reply.raw.destroy(), limits.timeoutMs).unref();
      try {
        yield `${JSON.stringify(record)}\n`;
      } finally {
        clearTimeout(timer);
      }
    }
  }
  return Readable.from(lines(), { objectMode: false });
}
