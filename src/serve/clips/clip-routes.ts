import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ask } from '../ask-engine.js';
import { fieldError } from '../field-error.js';
import type { ServeLimits } from '../limits.js';
import { pairOf } from '../pixel-pair.js';
import type { Queue } from '../queue.js';
import { QUEUED_ERRORS } from '../schemas.js';
import type { Api } from '../typed-api.js';
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

const QUEUED = { config: { queued: true } } as const;

/** Registers the part of the API that follows objects through clips. */
export function addClipRoutes(api: Api, { queue, limits, closing }: ClipRouteParts): void {
  api.post(
    '/v1/clips',
    {
      ...QUEUED,
      schema: {
        summary: 'Reads a clip and keeps it in memory while it is worked on',
        consumes: ['application/json', 'multipart/form-data'],
        body: openClipBody,
        response: { 200: openClipAnswer, ...QUEUED_ERRORS },
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
        response: { 200: changeAnswer, ...QUEUED_ERRORS },
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
        response: { 200: changeAnswer, ...QUEUED_ERRORS },
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
        response: { 200: propagateAnswer, ...QUEUED_ERRORS },
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
        response: { 200: undoAnswer, ...QUEUED_ERRORS },
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
        response: { 200: undoAnswer, ...QUEUED_ERRORS },
      },
    },
    async (request, reply) => ask(queue, request, reply, { kind: 'clip-undo', ...request.params }),
  );

  api.delete(
    '/v1/clips/:id',
    {
      ...QUEUED,
      schema: { summary: 'Closes a clip', params: clipParams, body: emptyBody, response: { 200: closeAnswer, ...QUEUED_ERRORS } },
    },
    async (request, reply) => ask(queue, request, reply, { kind: 'clip-close', ...request.params }),
  );
}

function fileOf({ upload }: FastifyRequest, { image, file_name = '', mm_per_pixel }: z.output<typeof openClipBody>) {
  if ((upload === undefined) === (image === undefined))
    throw fieldError('image', 'expected the file of a clip, once', 'Send it in the field image');
  const bytes = upload?.bytes ?? Buffer.from(image ?? '', 'base64');
  if (bytes.length === 0) throw fieldError('image', 'the file is empty');
  return { bytes, name: upload?.name ?? file_name, mmPerPixel: pairOf(mm_per_pixel) };
}

function markOf({ frame, track, phrase, bbox, points, labels, mask }: z.output<typeof markBody>) {
  if (bbox === undefined && points.length === 0 && mask === undefined)
    throw fieldError('bbox', 'nothing marks the object', 'Give a bbox, points, or a mask');
  if (mask !== undefined && (bbox !== undefined || points.length > 0))
    throw fieldError('mask', 'a mask comes alone, without bbox or points');
  const own = labels ?? points.map(() => 1);
  if (own.length !== points.length)
    throw fieldError('labels', `expected ${points.length}, one for each point, got ${own.length}`);
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
