import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ask } from '../ask-engine.js';
import { HttpError } from '../http-error.js';
import type { ServeLimits } from '../limits.js';
import { pairOf } from '../pixel-pair.js';
import type { Queue } from '../queue.js';
import { errorAnswer } from '../schemas.js';
import {
  changeAnswer,
  clipFrameParams,
  clipParams,
  clipTrackParams,
  closeAnswer,
  emptyBody,
  findBody,
  markBody,
  openClipAnswer,
  openClipBody,
  propagateAnswer,
  propagateBody,
  undoAnswer,
} from './clip-schemas.js';
import { streamFrames } from './stream-frames.js';

export interface ClipRouteParts {
  readonly queue: Queue;
  readonly limits: ServeLimits;
  /** Aborted when the server is going down. */
  readonly closing: AbortSignal;
}

const ERRORS = {
  400: errorAnswer,
  401: errorAnswer,
  403: errorAnswer,
  404: errorAnswer,
  413: errorAnswer,
  422: errorAnswer,
  429: errorAnswer,
  503: errorAnswer,
  504: errorAnswer,
} as const;

const QUEUED = { config: { queued: true } } as const;

/** Registers the part of the API that follows objects through clips. */
export function addClipRoutes(server: FastifyInstance, { queue, limits, closing }: ClipRouteParts): void {
  const api = server.withTypeProvider<ZodTypeProvider>();

  api.post(
    '/v1/clips',
    {
      ...QUEUED,
      schema: {
        summary: 'Reads a clip and keeps it in memory while it is worked on',
        consumes: ['application/json', 'multipart/form-data'],
        body: openClipBody,
        response: { 200: openClipAnswer, ...ERRORS },
      },
    },
    async (request, reply) => {
      const clip = await ask(queue, request, reply, { kind: 'clip-open', ...fileOf(request, request.body) });
      return { clip };
    },
  );

  api.get(
    '/v1/clips/:id/frames/:frame',
    { ...QUEUED, schema: { summary: 'Returns a frame as PNG', params: clipFrameParams } },
    async (request, reply) => {
      const { id, frame } = request.params;
      const png = await ask(queue, request, reply, { kind: 'clip-frame', id, frame });
      return reply.type('image/png').send(Buffer.from(png));
    },
  );

  api.post(
    '/v1/clips/:id/find',
    {
      ...QUEUED,
      schema: {
        summary: 'Looks for what a prompt names on a frame; what is found is followed from there',
        params: clipParams,
        body: findBody,
        response: { 200: changeAnswer, ...ERRORS },
      },
    },
    async (request, reply) => {
      const { nms, max, ...rest } = request.body;
      const job = { kind: 'clip-find', ...request.params, ...rest, nmsThreshold: nms, maxDetections: max } as const;
      return ask(queue, request, reply, job);
    },
  );

  api.post(
    '/v1/clips/:id/marks',
    {
      ...QUEUED,
      schema: {
        summary: 'Marks a new object on a frame, or corrects one',
        params: clipParams,
        body: markBody,
        response: { 200: changeAnswer, ...ERRORS },
      },
    },
    async (request, reply) => ask(queue, request, reply, { kind: 'clip-mark', ...request.params, ...markOf(request.body) }),
  );

  api.post(
    '/v1/clips/:id/propagate',
    {
      ...QUEUED,
      schema: {
        summary: 'Carries all objects on through the frames; the answer arrives frame by frame',
        produces: ['application/x-ndjson'],
        params: clipParams,
        body: propagateBody,
        response: { 200: propagateAnswer, ...ERRORS },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { direction } = request.body;
      const begun = await ask(queue, request, reply, { kind: 'clip-begin', id, ...request.body });
      const stream = streamFrames({ id, direction, ...begun }, reply, { queue, limits, closing });
      return reply.type('application/x-ndjson; charset=utf-8').send(stream as unknown as string);
    },
  );

  api.delete(
    '/v1/clips/:id/tracks/:track',
    {
      ...QUEUED,
      schema: {
        summary: 'Forgets an object',
        params: clipTrackParams,
        body: emptyBody,
        response: { 200: undoAnswer, ...ERRORS },
      },
    },
    async (request, reply) => ask(queue, request, reply, { kind: 'clip-remove', ...request.params }),
  );

  api.post(
    '/v1/clips/:id/undo',
    {
      ...QUEUED,
      schema: {
        summary: 'Undoes the last change',
        params: clipParams,
        body: emptyBody,
        response: { 200: undoAnswer, ...ERRORS },
      },
    },
    async (request, reply) => ask(queue, request, reply, { kind: 'clip-undo', ...request.params }),
  );

  api.delete(
    '/v1/clips/:id',
    {
      ...QUEUED,
      schema: { summary: 'Closes a clip', params: clipParams, body: emptyBody, response: { 200: closeAnswer, ...ERRORS } },
    },
    async (request, reply) => ask(queue, request, reply, { kind: 'clip-close', ...request.params }),
  );
}

function fileOf({ upload }: FastifyRequest, { image, file_name = '', mm_per_pixel }: z.output<typeof openClipBody>) {
  if ((upload === undefined) === (image === undefined))
    throw bad('image', 'expected the file of a clip, once', 'Send it in the field image');
  const bytes = upload?.bytes ?? Buffer.from(image ?? '', 'base64');
  if (bytes.length === 0) throw bad('image', 'the file is empty');
  return { bytes, name: upload?.name ?? file_name, mmPerPixel: pairOf(mm_per_pixel) };
}

function markOf({ frame, track, phrase, bbox, points, labels, mask }: z.output<typeof markBody>) {
  if (bbox === undefined && points.length === 0 && mask === undefined)
    throw bad('bbox', 'nothing marks the object', 'Give a bbox, points, or a mask');
  if (mask !== undefined && (bbox !== undefined || points.length > 0))
    throw bad('mask', 'a mask comes alone, without bbox or points');
  const own = labels ?? points.map(() => 1);
  if (own.length !== points.length) throw bad('labels', `expected ${points.length}, one for each point, got ${own.length}`);
  const [x, y, w, h] = bbox ?? [0, 0, 0, 0];
  return {
    frame,
    track,
    phrase: phrase === '' ? 'drawn' : phrase,
    boxXyxyPx: bbox && ([x, y, x + w, y + h] as const),
    points,
    labels: own,
    mask,
  };
}

function bad(where: string, what: string, fix?: string): HttpError {
  return new HttpError({ code: 'E_HTTP_FIELD', status: 400, where, what, ...(fix === undefined ? {} : { fix }) });
}
