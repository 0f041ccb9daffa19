import { z } from 'zod';
import { MEASURES_VERSION } from '../measure/index.js';
import { selections } from '../processing/index.js';
import { requestLimits } from './limits.js';

/** What the schemas of several requests and responses share. */

export const bbox = z
  .tuple([z.number(), z.number(), z.number().positive(), z.number().positive()])
  .describe('left, top, width, height in pixels of the image');

const perPixel = z.number().positive().max(1000);

/** Size of a pixel in millimetres, or across and down. */
export const mmPerPixel = z
  .union([perPixel, z.tuple([perPixel, perPixel])])
  .optional()
  .describe('size of a pixel in millimetres, or across and down, for files that do not state it');

/** A mask that is sent to the server. */
export const sentMask = z.strictObject({ size: z.tuple([z.int(), z.int()]).describe('height, width'), counts: z.string() });

const point = z.tuple([z.number(), z.number()]).readonly();

const spread = z
  .object({
    variants: z.int(),
    lost: z.int(),
    area_mm2: z.number(),
    long_axis_mm: z.number(),
    short_axis_mm: z.number(),
    perimeter_mm: z.number(),
  })
  .describe('standard deviations over variants of the input and of the threshold of the mask');

export const measures = {
  measures: z
    .object({
      version: z.literal(MEASURES_VERSION),
      spacing_mm: point.describe('of the region that the mask lies in, between columns and between rows'),
      calibration: z.string().describe('what the scale comes from'),
      parts: z.int().describe('connected parts of the mask, of which the largest is measured'),
      share: z.number().describe("of the mask's pixels that this part has"),
      area_mm2: z.number(),
      long_axis_mm: z.number().describe('greatest diameter'),
      short_axis_mm: z.number().describe('greatest diameter at right angles to it'),
      perimeter_mm: z.number(),
      ellipse: z
        .object({
          axes_mm: point.describe('major, minor'),
          circumference_mm: z.number(),
          residual_mm: z.number().describe('root mean square distance of the outline from the ellipse'),
          centre_px: point,
        })
        .nullable(),
      depth: z
        .object({ nearest_mm: z.number(), centroid_mm: z.number(), from: z.string() })
        .nullable()
        .describe('below the surface of the probe; null where the file does not say where that is'),
      long_axis_px: z.tuple([point, point]).readonly().describe('its ends, in pixels'),
      short_axis_px: z.tuple([point, point]).readonly(),
      spread: spread.optional(),
    })
    .nullable()
    .describe('of the mask, in millimetres; null where nothing calibrates it'),
  unmeasured: z.string().optional().describe('why there are no measures'),
};

export const healthAnswer = z.object({
  status: z.literal('ok'),
  version: z.string(),
  backend: z.string(),
  detector: z.string(),
  masker: z.string().nullable(),
  adapter: z.string().nullable(),
  points: z.boolean().describe('whether /v1/masks takes points'),
  exemplars: z.string().nullable().describe('the model of /v1/exemplars; null if this server has none'),
  clips: z
    .enum(['memory', 'detection'])
    .nullable()
    .describe(
      'how objects are followed through clips: by the memory of the masker, or by looking for them on each frame; null without a masker',
    ),
  requests: z.int().describe('computed or waiting now'),
  limits: z.object({ upload_bytes: z.int(), pixels: z.int(), waiting: z.int(), timeout_ms: z.int() }),
});

export const errorAnswer = z.object({
  status: z.int(),
  code: z.string().describe('the kind of failure, for programs: stable, and listed in docs/errors.md'),
  where: z.string().describe('which part of the request'),
  what: z.string(),
  fix: z.string().optional(),
});

/** The errors of every route. */
export const ERRORS = { 400: errorAnswer, 401: errorAnswer, 403: errorAnswer, 413: errorAnswer, 422: errorAnswer } as const;

/** The errors of routes that wait for the models. */
export const QUEUED_ERRORS = { ...ERRORS, 404: errorAnswer, 429: errorAnswer, 503: errorAnswer, 504: errorAnswer } as const;

/** Which of the found boxes count. */
export const detection = {
  threshold: z.number().min(0).max(1).default(0.3).describe('lowest score at which a box counts'),
  nms: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('overlap (IoU) above which the lower-scoring of two boxes of a phrase is dropped'),
  select: z.enum(selections).default('all').describe('all boxes, the best of each phrase, or the best of the image'),
  max: z.int().min(1).max(requestLimits.found).default(100).describe('largest number of boxes'),
};
