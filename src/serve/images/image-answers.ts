import { z } from 'zod';
import { measures } from '../schemas.js';

/** Schemas of responses, from which the OpenAPI document is generated. */

const openedImage = z
  .object({
    id: z.string().describe('identifies the image in later requests, as image_id'),
    width: z.int(),
    height: z.int(),
    spacing_mm: z
      .tuple([z.number(), z.number()])
      .readonly()
      .nullable()
      .describe('between columns and between rows, if the file states it'),
    frames: z.object({
      kind: z.enum(['image', 'frames', 'pages', 'slices']),
      count: z.int(),
      per_frame: z.int().describe('number of slices of one volume, if the file contains several; otherwise all'),
      address: z.string().describe('index of this one'),
    }),
  })
  .describe('the image that was processed');

const mask = z
  .union([z.object({ size: z.tuple([z.int(), z.int()]).readonly().describe('height, width'), counts: z.string() }), z.string()])
  .nullable()
  .describe('COCO RLE, or a PNG in base64, on the grid of the image');

export const measuresAnswer = z.object({ measures: z.array(z.object(measures)).readonly() });

export const openAnswer = z.object({ image: openedImage });

const segment = z.object({
  phrase: z.string(),
  score: z
    .number()
    .nullable()
    .describe(
      "the detector's confidence, 0 to 1, or the mean probability inside a mask by exemplars; null for a box of the request",
    ),
  bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]).readonly().describe('left, top, width, height in pixels'),
  area: z.number().describe('pixels of the mask, or of the box if there is no mask'),
  mask_score: z.number().nullable().describe("the masker's estimate of the mask's IoU; null without a masker"),
  ...measures,
  mask,
});

export const segmentAnswer = z.object({ image: openedImage, segments: z.array(segment).readonly() });

export const segmentationAnswer = z.object({
  segments: z
    .array(
      segment.extend({
        frame: z.int().describe('from 0'),
        segment: z.int().describe('its number in the file, the same on all frames'),
      }),
    )
    .readonly(),
});

export const masksAnswer = z.object({
  image: openedImage,
  answers: z
    .array(
      z.object({
        masks: z
          .array(
            z.object({
              bbox: z
                .tuple([z.number(), z.number(), z.number(), z.number()])
                .readonly()
                .nullable()
                .describe('around the mask; null if empty'),
              area: z.number(),
              mask_score: z.number(),
              ...measures,
              mask,
            }),
          )
          .readonly(),
      }),
    )
    .readonly(),
});
