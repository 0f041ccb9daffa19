import { z } from 'zod';
import { maskFormats } from '../engine/index.js';
import { requestLimits } from '../limits.js';
import { bbox, detection, mmPerPixel, sentMask } from '../schemas.js';

/** Schemas of requests, from which the OpenAPI document is generated and by which bodies are validated. */

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
  ...detection,
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
