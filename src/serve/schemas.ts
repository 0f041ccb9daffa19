import { z } from 'zod';
import { MEASURES_VERSION } from '../measure/index.js';
import { selections } from '../processing/index.js';
import { maskFormats } from './engine/index.js';
import { requestLimits } from './limits.js';

/** Schemas of requests and responses, from which the OpenAPI document is generated and by which bodies are validated. */

export const bbox = z
  .tuple([z.number(), z.number(), z.number().positive(), z.number().positive()])
  .describe('left, top, width, height in pixels of the image');

const perPixel = z.number().positive().max(1000);

/** Size of a pixel in millimetres, or across and down. */
export const mmPerPixel = z
  .union([perPixel, z.tuple([perPixel, perPixel])])
  .optional()
  .describe('size of a pixel in millimetres, or across and down, for files that do not state it');

const image = {
  image: z
    .base64()
    .optional()
    .describe('the bytes of a PNG, JPEG, TIFF, WebP, BMP, DICOM or NIfTI (.nii, .nii.gz) file; in a form, the file itself'),
  image_id: z
    .string()
    .regex(/^[0-9a-f]{32}$/, 'expected the image id of an earlier response')
    .optional()
    .describe('instead of an image: the id of one that was sent before and is still in memory'),
  file_name: z.string().max(1000).optional().describe('only its extension is used, to recognise old DICOM files'),
  frame: z
    .string()
    .max(40)
    .optional()
    .describe(
      'frame of a cine clip, page of a TIFF or slice of a volume, from 0: 3; of a volume also x40, y40, 40t2. Default: the first',
    ),
  mm_per_pixel: mmPerPixel,
};

const maskFormat = z.enum(maskFormats).default('rle').describe("COCO's compressed RLE, PNG in base64, or no mask");

/** Forms send lists as repeated fields, or as a single one. */
const prompt = z
  .union([
    z.string().max(requestLimits.promptLetters),
    z.array(z.string().max(requestLimits.promptLetters)).max(requestLimits.prompts),
  ])
  .default([])
  .describe('phrases to look for, separated by dots; the prompts of a list are run separately');

export const openBody = z.strictObject(image);

export const segmentBody = z.strictObject({
  ...image,
  prompt,
  threshold: z.number().min(0).max(1).default(0.3).describe('lowest score at which a box counts'),
  nms: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('overlap (IoU) above which the lower-scoring of two boxes of a phrase is dropped'),
  select: z.enum(selections).default('all').describe('all boxes, the best of each phrase, or the best of the image'),
  max: z.int().min(1).max(requestLimits.found).default(100).describe('largest number of boxes'),
  boxes: z
    .array(z.strictObject({ bbox, phrase: z.string().max(requestLimits.promptLetters).default('') }))
    .max(requestLimits.boxes)
    .default([])
    .describe('drawn or corrected boxes, segmented in addition'),
  mask_format: maskFormat,
});

export const masksBody = z.strictObject({
  ...image,
  prompts: z
    .array(
      z.strictObject({
        bbox: bbox.optional(),
        points: z
          .array(z.tuple([z.number(), z.number()]))
          .max(requestLimits.points)
          .default([])
          .describe('x, y in pixels'),
        labels: z
          .array(z.union([z.literal(0), z.literal(1)]))
          .max(requestLimits.points)
          .optional()
          .describe('for each point 1 (inside) or 0 (outside). Default: all inside'),
      }),
    )
    .min(1)
    .max(requestLimits.boxes)
    .describe('each is a box, points, or both, and returns a mask'),
  multimask: z.boolean().default(false).describe("return the model's alternative masks for each prompt"),
  mask_format: maskFormat,
});

/** A mask that is sent to the server. */
export const sentMask = z.strictObject({ size: z.tuple([z.int(), z.int()]).describe('height, width'), counts: z.string() });

export const measuresBody = z.strictObject({
  image_id: image.image_id.unwrap(),
  mm_per_pixel: image.mm_per_pixel,
  masks: z.array(sentMask).max(requestLimits.found).describe("COCO's compressed RLE, on the grid of the image"),
});

const clipId = z
  .string()
  .regex(/^[0-9a-f]{32}$/, 'expected the id of a clip that was sent before')
  .optional()
  .describe('the id of a clip that was sent before and is still in memory');

export const segmentationBody = z.strictObject({
  segmentation: z.base64().optional().describe('the bytes of a DICOM segmentation; in a form, the file itself'),
  file_name: image.file_name,
  image_id: image.image_id,
  clip_id: clipId,
});

export const exemplarsBody = z.strictObject({
  ...image,
  exemplars: z
    .array(
      z.strictObject({
        ...image,
        mask: z
          .union([z.strictObject({ size: z.tuple([z.int(), z.int()]), counts: z.string() }), z.base64()])
          .optional()
          .describe("COCO's compressed RLE, or a mask file (PNG, TIFF, BMP) in base64, of the size of its image"),
        polygons: z
          .array(
            z
              .array(z.number())
              .min(6)
              .max(2 * requestLimits.vertices)
              .refine((numbers) => numbers.length % 2 === 0, 'expected pairs x, y'),
          )
          .min(1)
          .max(requestLimits.polygons)
          .optional()
          .describe('instead of a mask: outlines, each a list x0, y0, x1, y1, … in pixels'),
      }),
    )
    .min(1)
    .max(requestLimits.exemplars)
    .describe('images with a mask each of the structure to find'),
  label: z
    .string()
    .trim()
    .min(1)
    .max(requestLimits.promptLetters)
    .default('like the exemplars')
    .describe('its name in the answer'),
  mask_format: maskFormat,
});

export const imageParams = z.object({ id: z.string().regex(/^[0-9a-f]{32}$/) });

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
