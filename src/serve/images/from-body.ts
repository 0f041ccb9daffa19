import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { BoxXyxy } from '../../imaging/index.js';
import type { ExemplarMaskSource, ImageSource } from '../engine/index.js';
import { fieldError } from '../field-error.js';
import { pairOf } from '../pixel-pair.js';
import type { exemplarsBody, masksBody, openBody } from './image-bodies.js';

/**
 * The image of a request: uploaded, in base64, or the id of one in memory.
 *
 * @param above - path of its fields, for messages.
 * @throws HttpError for fields that cannot be used.
 */
export function sourceOf(
  { upload }: { readonly upload?: FastifyRequest['upload'] },
  body: z.output<typeof openBody>,
  above = '',
): ImageSource {
  const { image, image_id, file_name = '', frame, mm_per_pixel } = body;
  if ([upload, image, image_id].filter((given) => given !== undefined).length !== 1)
    throw fieldError(`${above}image`, 'expected either an image or an image_id', 'Give one of them');
  if (image_id !== undefined) {
    if (frame !== undefined) throw fieldError(`${above}frame`, 'an image_id refers to one image', 'Leave it out');
    if (mm_per_pixel !== undefined)
      throw fieldError(
        `${above}mm_per_pixel`,
        'the image of an image_id has its size of a pixel already',
        'Give it where the image is sent',
      );
    return { id: image_id };
  }
  const bytes = upload?.bytes ?? Buffer.from(image ?? '', 'base64');
  if (bytes.length === 0) throw fieldError(`${above}image`, 'the file is empty');
  return { bytes, name: upload?.name ?? file_name, frame, mmPerPixel: pairOf(mm_per_pixel) };
}

/** The mask of an exemplar. @throws HttpError where there is none, or two. */
export function exemplarMaskOf(
  { mask, polygons }: z.output<typeof exemplarsBody>['exemplars'][number],
  where: string,
): ExemplarMaskSource {
  if ((mask === undefined) === (polygons === undefined))
    throw fieldError(where, 'expected either a mask or polygons', 'Give one of them');
  if (polygons !== undefined) return { polygons };
  return typeof mask === 'object' ? { rle: mask } : { bytes: Buffer.from(mask ?? '', 'base64') };
}

/** A prompt for the masker. @throws HttpError where it marks nothing, or labels do not fit the points. */
export function maskPromptOf({ bbox, points, labels }: z.output<typeof masksBody>['prompts'][number], i: number) {
  if (bbox === undefined && points.length === 0) throw fieldError(`prompts.${i}`, 'there is neither a bbox nor a point');
  const own = labels ?? points.map(() => 1);
  if (own.length !== points.length)
    throw fieldError(`prompts.${i}.labels`, `expected ${points.length}, one for each point, got ${own.length}`);
  return { boxXyxyPx: bbox && boxOf(bbox), points, labels: own };
}

/** The edges of a box. */
export function boxOf([x, y, width, height]: readonly [number, number, number, number]): BoxXyxy {
  return [x, y, x + width, y + height];
}
