import type { FastifyRequest } from 'fastify';
import { encodeNrrd } from '../../imaging/index.js';
import { PromptTokenizer } from '../../prompts/index.js';
import { ask } from '../ask-engine.js';
import type { LabelsAnswer } from '../engine/index.js';
import { fieldError } from '../field-error.js';
import { HttpError } from '../http-error.js';
import type { ServeLimits } from '../limits.js';
import type { Queue } from '../queue.js';
import type { Api } from '../typed-api.js';
import { addAuthRoutes } from './auth-routes.js';
import { addDatastoreRoutes } from './datastore-routes.js';
import { KeptUploads } from './kept-uploads.js';
import { formAnswer } from './viewer-form.js';
import type { ViewerFile, ViewerImages } from './viewer-images.js';
import { EXPECTED, inferBody, inferParams, inferQuery, modelParams } from './viewer-schemas.js';

/** What viewers are offered. */
export interface ViewerOptions {
  /** The phrases that a viewer asks for unless its user changes them. */
  readonly prompt: string;
  /** Images that it may name. Default: only those that it has sent. */
  readonly images?: ViewerImages | undefined;
}

interface ViewerParts extends ViewerOptions {
  readonly queue: Queue;
  readonly limits: ServeLimits;
  readonly version: string;
  readonly token: string | undefined;
}

/** The one model that viewers see: detector and masker together. */
const MODEL = 'sonoground';

/** Uploads are kept in this share of the memory for requests. */
const SHARE = 0.5;

/**
 * Registers the addresses that MONAI Label's clients in 3D Slicer and OHIF ask for: its models, inference to a volume of labels in
 * NRRD, and a datastore that is read only. Images that a viewer sends stay in memory for a while; labels are not taken.
 *
 * @see https://github.com/Project-MONAI/MONAILabel, monailabel/endpoints and plugins: names and forms are those of its server.
 */
export function addViewerRoutes(api: Api, parts: ViewerParts): void {
  const { prompt, images, queue, limits, version } = parts;
  const uploads = new KeptUploads(limits.heldBytes * SHARE);
  const labelsOf = (text: string) => Object.fromEntries(PromptTokenizer.parsePrompt(text).map((phrase, i) => [phrase, i + 1]));
  addAuthRoutes(api, parts.token);
  const status = addDatastoreRoutes(api, { uploads, images });

  const summary = 'For viewers: describes the model';
  for (const url of ['/info', '/info/'])
    api.get(url, { schema: { summary, hide: url.endsWith('/') } }, async () => ({
      name: 'sonoground',
      description: 'Finds and segments in ultrasound what a prompt names. For research, not a medical device.',
      version,
      labels: Object.keys(labelsOf(prompt)),
      models: {
        [MODEL]: {
          type: 'segmentation',
          labels: labelsOf(prompt),
          dimension: 2,
          description: 'Text-prompted segmentation, frame by frame: change the prompt in the options',
          config: { prompt, threshold: 0.3, nms: 0.5 },
        },
      },
      trainers: {},
      strategies: images === undefined ? {} : { next: { description: 'the images of the datastore in turn' } },
      scoring: {},
      train_stats: {},
      datastore: await status(),
    }));

  api.post(
    '/infer/:model',
    {
      config: { queued: true, files: ['file', 'label'] },
      schema: {
        summary: 'For viewers: segments an image to a volume of labels (NRRD)',
        consumes: ['multipart/form-data'],
        params: modelParams,
        querystring: inferQuery,
        body: inferBody,
      },
    },
    async (request, reply) => {
      const { output } = request.query;
      if (request.params.model !== MODEL) throw unknownModel(request.params.model);
      if (output === 'dicom_seg') throw noSegmentations();
      const { params } = request.body;
      const answer = await ask(queue, request, reply, {
        kind: 'labels',
        files: await filesOf(request, request.query, uploads, images),
        frame: params.frame,
        prompt: params.prompt ?? prompt,
        threshold: params.threshold,
        nmsThreshold: params.nms,
        select: params.select,
      });
      const told = reportOf(answer, params);
      if (output === 'json') return told;
      const bytes = encodeNrrd(answer, { compress: params.result_compress });
      const name = 'labels.nrrd';
      if (output === 'image')
        return reply.type('application/octet-stream').header('content-disposition', `attachment; filename="${name}"`).send(bytes);
      const form = formAnswer(told, { name, bytes });
      return reply.type(form.type).send(form.bytes);
    },
  );
}

/** What the labels are, and which parameters changed nothing. */
function reportOf({ names, objects, shape }: LabelsAnswer, params: object) {
  const used = [...Object.keys(inferParams.shape), ...EXPECTED];
  return { label_names: names, objects, shape, ignored: Object.keys(params).filter((name) => !used.includes(name)) };
}

/** The image of a request: sent along, sent before, or named. */
async function filesOf(
  { upload }: FastifyRequest,
  { image, session_id }: { readonly image: string; readonly session_id: string },
  uploads: KeptUploads,
  images: ViewerImages | undefined,
): Promise<readonly ViewerFile[]> {
  if (upload?.field === 'label') throw fieldError('label', 'labels and scribbles are not taken', 'Send an image, or name one');
  if (upload !== undefined) return [upload];
  const id = session_id === '' ? image : session_id;
  if (id === '') throw fieldError('image', 'there is none', 'Send or name one');
  const kept = uploads.get(id);
  const files = kept === undefined && session_id === '' ? await images?.read(id) : kept && [kept];
  if (files !== undefined && files.length > 0) return files;
  throw new HttpError({
    code: 'E_HTTP_IMAGE_GONE',
    status: 404,
    where: session_id === '' ? 'image' : 'session_id',
    what: 'there is no image of this id, or no longer',
    fix: 'Send the image again',
  });
}

function unknownModel(model: string): HttpError {
  return new HttpError({
    code: 'E_HTTP_FIELD',
    status: 404,
    where: 'model',
    what: `there is no model ${JSON.stringify(model)}`,
    fix: `There is one, ${MODEL}`,
  });
}

function noSegmentations(): HttpError {
  return new HttpError({
    code: 'E_HTTP_FIELD',
    status: 400,
    where: 'output',
    what: 'DICOM segmentations are not answered here',
    fix: 'Ask for image or all',
  });
}
