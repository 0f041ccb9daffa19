import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { BoxXyxy } from '../imaging/index.js';
import { ask } from './ask-engine.js';
import { addClipRoutes } from './clips/index.js';
import type { Engine, ExemplarMaskSource, ImageSource } from './engine/index.js';
import { HttpError } from './http-error.js';
import type { ServeLimits } from './limits.js';
import { pairOf } from './pixel-pair.js';
import type { Queue } from './queue.js';
import {
  errorAnswer,
  exemplarsBody,
  healthAnswer,
  imageParams,
  masksAnswer,
  masksBody,
  measuresAnswer,
  measuresBody,
  openAnswer,
  openBody,
  segmentAnswer,
  segmentationAnswer,
  segmentationBody,
  segmentBody,
} from './schemas.js';
import { addViewerRoutes, type ViewerOptions } from './viewers/index.js';

export interface RouteParts {
  readonly engine: Engine;
  readonly queue: Queue;
  readonly limits: ServeLimits;
  readonly version: string;
  /** Aborted when the server is going down. */
  readonly closing: AbortSignal;
  readonly token: string | undefined;
  readonly viewers: ViewerOptions;
}

const CONSUMES = ['application/json', 'multipart/form-data'];

const ERRORS = { 400: errorAnswer, 401: errorAnswer, 403: errorAnswer, 413: errorAnswer, 422: errorAnswer } as const;
const QUEUED = { ...ERRORS, 404: errorAnswer, 429: errorAnswer, 503: errorAnswer, 504: errorAnswer } as const;

/** Registers the REST API and its description. */
export function addRoutes(
  server: FastifyInstance,
  { engine, queue, limits, version, closing, token, viewers }: RouteParts,
): void {
  const api = server.withTypeProvider<ZodTypeProvider>();
  const methods = new Map<string, string[]>();
  api.addHook('onRoute', ({ url, method }) => void methods.set(url, [...(methods.get(url) ?? []), method].flat()));

  api.get('/openapi.json', { schema: { hide: true } }, async () => server.swagger());

  api.get(
    '/v1/health',
    { schema: { summary: 'Reports whether the server is up, and its models', response: { 200: healthAnswer, ...ERRORS } } },
    async () => {
      const { uploadBytes: upload_bytes, pixels, waiting, timeoutMs: timeout_ms } = limits;
      const status = 'ok' as const;
      return { status, version, ...engine.facts, requests: queue.length, limits: { upload_bytes, pixels, waiting, timeout_ms } };
    },
  );

  api.post(
    '/v1/segment',
    {
      config: { queued: true },
      schema: {
        summary: 'Finds and segments what prompts name',
        consumes: CONSUMES,
        body: segmentBody,
        response: { 200: segmentAnswer, ...QUEUED },
      },
    },
    async (request, reply) => {
      const { prompt, threshold, nms, select, max, boxes, mask_format } = request.body;
      const prompts = [prompt].flat();
      if (prompts.length === 0 && boxes.length === 0)
        throw new HttpError({
          code: 'E_HTTP_FIELD',
          status: 400,
          where: 'prompt',
          what: 'there is none',
          fix: 'Say what to look for, or give boxes',
        });
      return ask(queue, request, reply, {
        kind: 'segment',
        image: sourceOf(request, request.body),
        prompts,
        threshold,
        nmsThreshold: nms,
        select,
        maxDetections: max,
        boxes: boxes.map(({ phrase, bbox }) => ({ phrase, boxXyxyPx: edgesOf(bbox) })),
        maskFormat: mask_format,
      });
    },
  );

  api.post(
    '/v1/masks',
    {
      config: { queued: true },
      schema: {
        summary: 'Returns a mask for each box or set of points',
        consumes: CONSUMES,
        body: masksBody,
        response: { 200: masksAnswer, ...QUEUED },
      },
    },
    async (request, reply) => {
      const { prompts, multimask, mask_format } = request.body;
      return ask(queue, request, reply, {
        kind: 'masks',
        image: sourceOf(request, request.body),
        prompts: prompts.map(maskPromptOf),
        multimask,
        maskFormat: mask_format,
      });
    },
  );

  api.post(
    '/v1/exemplars',
    {
      config: { queued: true },
      schema: {
        summary: 'Segments what looks like the exemplars: other images with masks',
        consumes: CONSUMES,
        body: exemplarsBody,
        response: { 200: segmentAnswer, ...QUEUED },
      },
    },
    async (request, reply) => {
      const { exemplars, label, mask_format } = request.body;
      return ask(queue, request, reply, {
        kind: 'exemplars',
        image: sourceOf(request, request.body),
        exemplars: exemplars.map((exemplar, i) => ({
          image: sourceOf({}, exemplar, `exemplars.${i}.`),
          mask: exemplarMaskOf(exemplar, `exemplars.${i}.mask`),
        })),
        label,
        maskFormat: mask_format,
      });
    },
  );

  api.post(
    '/v1/measures',
    {
      config: { queued: true },
      schema: {
        summary: 'Measures masks of an image that is in memory',
        consumes: CONSUMES,
        body: measuresBody,
        response: { 200: measuresAnswer, ...QUEUED },
      },
    },
    async (request, reply) => {
      const { image_id: id, mm_per_pixel, masks } = request.body;
      return {
        measures: await ask(queue, request, reply, { kind: 'measure', image: { id }, mmPerPixel: pairOf(mm_per_pixel), masks }),
      };
    },
  );

  api.post(
    '/v1/segmentations',
    {
      config: { queued: true, files: ['segmentation'] },
      schema: {
        summary: 'Reads a DICOM segmentation of an image or a clip that is in memory',
        consumes: CONSUMES,
        body: segmentationBody,
        response: { 200: segmentationAnswer, ...QUEUED },
      },
    },
    async (request, reply) => {
      const { image_id: image, clip_id: clip, segmentation = '', file_name = 'segmentation' } = request.body;
      if ((image === undefined) === (clip === undefined))
        throw new HttpError({
          code: 'E_HTTP_FIELD',
          status: 400,
          where: 'image_id',
          what: 'expected either an image_id or a clip_id',
          fix: 'Say which image or clip it is of',
        });
      const bytes = request.upload?.bytes ?? Buffer.from(segmentation, 'base64');
      const of = image === undefined ? { clip: clip as string } : { image };
      const name = request.upload?.name || file_name;
      return { segments: await ask(queue, request, reply, { kind: 'segmentation', bytes, name, of }) };
    },
  );

  api.post(
    '/v1/images',
    {
      config: { queued: true },
      schema: {
        summary: 'Reads an image and keeps it in memory for a while',
        consumes: CONSUMES,
        body: openBody,
        response: { 200: openAnswer, ...QUEUED },
      },
    },
    async (request, reply) => ({
      image: await ask(queue, request, reply, { kind: 'open', image: sourceOf(request, request.body) }),
    }),
  );

  api.get(
    '/v1/images/:id',
    { config: { queued: true }, schema: { summary: 'Returns an image that is in memory as PNG', params: imageParams } },
    async (request, reply) => {
      const png = await ask(queue, request, reply, { kind: 'preview', id: request.params.id });
      return reply.type('image/png').send(Buffer.from(png));
    },
  );

  addClipRoutes(api, { queue, limits, closing });
  addViewerRoutes(api, { ...viewers, queue, limits, version, token });

  for (const [url, own] of [...methods]) refuseOthers(server, url, own);
}

/** Responds to unsupported methods with the supported ones. */
function refuseOthers(server: FastifyInstance, url: string, own: readonly string[]): void {
  const method = server.supportedMethods.filter((name) => !own.includes(name));
  // The request hook refuses all of them.
  server.route({ method, url, config: { allow: own.join(', ') }, schema: { hide: true }, handler: () => {} });
}

function sourceOf(
  { upload }: { readonly upload?: FastifyRequest['upload'] },
  body: z.output<typeof openBody>,
  above = '',
): ImageSource {
  const { image, image_id, file_name = '', frame, mm_per_pixel } = body;
  if ([upload, image, image_id].filter((given) => given !== undefined).length !== 1)
    throw new HttpError({
      code: 'E_HTTP_FIELD',
      status: 400,
      where: `${above}image`,
      what: 'expected either an image or an image_id',
      fix: 'Give one of them',
    });
  if (image_id !== undefined) {
    if (frame !== undefined)
      throw new HttpError({
        code: 'E_HTTP_FIELD',
        status: 400,
        where: `${above}frame`,
        what: 'an image_id refers to one image',
        fix: 'Leave it out',
      });
    if (mm_per_pixel !== undefined)
      throw new HttpError({
        code: 'E_HTTP_FIELD',
        status: 400,
        where: `${above}mm_per_pixel`,
        what: 'the image of an image_id has its size of a pixel already',
        fix: 'Give it where the image is sent',
      });
    return { id: image_id };
  }
  const bytes = upload?.bytes ?? Buffer.from(image ?? '', 'base64');
  if (bytes.length === 0)
    throw new HttpError({ code: 'E_HTTP_FIELD', status: 400, where: `${above}image`, what: 'the file is empty' });
  return { bytes, name: upload?.name ?? file_name, frame, mmPerPixel: pairOf(mm_per_pixel) };
}

function exemplarMaskOf(
  { mask, polygons }: z.output<typeof exemplarsBody>['exemplars'][number],
  where: string,
): ExemplarMaskSource {
  if ((mask === undefined) === (polygons === undefined))
    throw new HttpError({
      code: 'E_HTTP_FIELD',
      status: 400,
      where,
      what: 'expected either a mask or polygons',
      fix: 'Give one of them',
    });
  if (polygons !== undefined) return { polygons };
  return typeof mask === 'object' ? { rle: mask } : { bytes: Buffer.from(mask ?? '', 'base64') };
}

function maskPromptOf({ bbox, points, labels }: z.output<typeof masksBody>['prompts'][number], i: number) {
  if (bbox === undefined && points.length === 0)
    throw new HttpError({
      code: 'E_HTTP_FIELD',
      status: 400,
      where: `prompts.${i}`,
      what: 'there is neither a bbox nor a point',
    });
  const own = labels ?? points.map(() => 1);
  if (own.length !== points.length)
    throw new HttpError({
      code: 'E_HTTP_FIELD',
      status: 400,
      where: `prompts.${i}.labels`,
      what: `expected ${points.length}, one for each point, got ${own.length}`,
    });
  return { boxXyxyPx: bbox && edgesOf(bbox), points, labels: own };
}

function edgesOf([x, y, width, height]: readonly [number, number, number, number]): BoxXyxy {
  return [x, y, x + width, y + height];
}
