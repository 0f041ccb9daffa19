import { ask } from '../ask-engine.js';
import { fieldError } from '../field-error.js';
import { pairOf } from '../pixel-pair.js';
import type { Queue } from '../queue.js';
import { QUEUED_ERRORS } from '../schemas.js';
import type { Api } from '../typed-api.js';
import { boxOf, exemplarMaskOf, maskPromptOf, sourceOf } from './from-body.js';
import { masksAnswer, measuresAnswer, openAnswer, segmentAnswer, segmentationAnswer } from './image-answers.js';
import { exemplarsBody, imageParams, masksBody, measuresBody, openBody, segmentationBody, segmentBody } from './image-bodies.js';

const CONSUMES = ['application/json', 'multipart/form-data'];

/** Registers the part of the API that segments and measures single images. */
export function addImageRoutes(api: Api, queue: Queue): void {
  api.post(
    '/v1/segment',
    {
      config: { queued: true },
      schema: {
        summary: 'Finds and segments what prompts name',
        consumes: CONSUMES,
        body: segmentBody,
        response: { 200: segmentAnswer, ...QUEUED_ERRORS },
      },
    },
    async (request, reply) => {
      const { prompt, threshold, nms, select, max, boxes, mask_format } = request.body;
      const prompts = [prompt].flat();
      if (prompts.length === 0 && boxes.length === 0)
        throw fieldError('prompt', 'there is none', 'Say what to look for, or give boxes');
      return ask(queue, request, reply, {
        kind: 'segment',
        image: sourceOf(request, request.body),
        prompts,
        threshold,
        nmsThreshold: nms,
        select,
        maxDetections: max,
        boxes: boxes.map(({ phrase, bbox }) => ({ phrase, boxXyxyPx: boxOf(bbox) })),
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
        response: { 200: masksAnswer, ...QUEUED_ERRORS },
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
        response: { 200: segmentAnswer, ...QUEUED_ERRORS },
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
        response: { 200: measuresAnswer, ...QUEUED_ERRORS },
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
        response: { 200: segmentationAnswer, ...QUEUED_ERRORS },
      },
    },
    async (request, reply) => {
      const { image_id: image, clip_id: clip, segmentation = '', file_name = 'segmentation' } = request.body;
      if ((image === undefined) === (clip === undefined))
        throw fieldError('image_id', 'expected either an image_id or a clip_id', 'Say which image or clip it is of');
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
        response: { 200: openAnswer, ...QUEUED_ERRORS },
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
}
